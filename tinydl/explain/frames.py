"""Where in the user's program something happened, and what it is called there.

The stack tells both: the first function that is not of this package is the user's, its local
variables have the names the user gave, and the calls of layers in between tell the layer.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from tinydl.engine import Tensor
from tinydl.explain.page import Source
from tinydl.layers import Layer
from tinydl.losses import Loss

PACKAGE = str(Path(__file__).parent.parent)
STORIES = str(Path(__file__).parent / "stories.py")  # which are programs, too
CALLS = {Layer.__call__.__code__, Loss.__call__.__code__}


def users_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that is not of this package."""
    while frame is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def layer_called(frame: FrameType | None) -> str | None:
    """The name of the innermost layer or loss that is being called."""
    while frame is not None:
        if frame.f_code in CALLS:
            return str(frame.f_locals["self"].name)
        frame = frame.f_back
    return None


def source_of(frame: FrameType | None) -> Source | None:
    """The line a frame is at."""
    if frame is None:
        return None
    file, line = frame.f_code.co_filename, frame.f_lineno
    return Source(file, line, linecache.getline(file, line).strip())


def name_of_tensor(x: Tensor, frame: FrameType | None) -> str | None:
    """What a tensor is called in a frame: a variable, or an attribute of self."""
    return next((name for name, value in _variables(frame) if value is x), None)


def name_of_array(array: np.ndarray, frame: FrameType | None) -> str | None:
    """What an array is called in a frame: tensors copy theirs, so it is known by its numbers."""
    for name, value in _variables(frame):
        if isinstance(value, Tensor):
            value = value.data
        same_size = isinstance(value, np.ndarray) and value.size == array.size > 1
        if same_size and np.array_equal(value.ravel(), array.ravel()):
            return name
    return None


def _variables(frame: FrameType | None) -> Iterator[tuple[str, Any]]:
    if frame is None:
        return
    variables = dict(frame.f_locals)
    for name, value in variables.items():
        if not name.startswith("_"):
            yield name, value
    owner = variables.get("self")
    yield from vars(owner).items() if hasattr(owner, "__dict__") else ()


def _is_ours(file: str) -> bool:
    return file.startswith(PACKAGE) and file != STORIES
