"""What a framework's module gives for a case: something to time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Work(NamedTuple):
    """One way to compute a case; where there are several, the fastest counts."""

    run: Callable[[], Any]
    read: Callable[[Any], Any] = np.asarray  # its result as an array in the cases' own layout
    variant: str = ""
