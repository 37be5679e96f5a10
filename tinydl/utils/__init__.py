"""Small things a program around a model needs: encoded labels, a seed, whole files."""

from tinydl.utils.files import replacing
from tinydl.utils.numeric import normalize, to_categorical
from tinydl.utils.seeds import set_random_seed
from tinydl.utils.session import clear_session

__all__ = ["clear_session", "normalize", "replacing", "set_random_seed", "to_categorical"]
