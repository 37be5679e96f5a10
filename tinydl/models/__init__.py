"""Models: layers put together, and how they are trained, judged, asked and saved."""

from tinydl.models.model import Model
from tinydl.models.sequential import Sequential
from tinydl.saving import load_model

__all__ = ["Model", "Sequential", "load_model"]
