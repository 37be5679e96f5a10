"""Messages between the grader and a submission: a JSON header, then the bytes of its arrays.

A frame is two lengths (eight bytes each, little endian), the header, and the payload. In the
header a value is JSON as far as JSON goes; other values are objects with one key that names their
kind: ``{"array": ["<f8", [2, 3], "C"]}`` stands for the next 48 bytes of the payload.

Nothing is ever executed to read a frame, and whatever the bytes are, reading gives values of the
kinds below or raises `BadFrame`. Elements travel in the order in which they lie in memory, so a
transposed array arrives transposed: ``{"array": ["<f8", [2, 3], "F"]}``.
"""

from __future__ import annotations

import builtins
import json
import math
import struct
from typing import Any, Literal

import numpy as np

# The functions below look names up in this copy; a submission may only patch the module.
globals()["__builtins__"] = dict(vars(builtins))

LENGTHS = struct.Struct("<QQ")
LARGEST_HEADER = 4_000_000
DEEPEST = 20
KINDS = "biuf"  # of elements: truth values, whole numbers, floats
_ndarray, _generic, _frombuffer, _dtype = np.ndarray, np.generic, np.frombuffer, np.dtype
_dumps, _loads, _prod = json.dumps, json.loads, math.prod


class BadFrame(ValueError):
    """Bytes that are no frame."""


class Other:
    """Stands for a value that cannot be sent: what it was, in words.

    Attributes
    ----------
    described : str
        Such as "a Tensor".
    """

    def __init__(self, described: str) -> None:
        self.described = described

    def __repr__(self) -> str:
        return f"<{self.described}>"


def encode(value: Any) -> bytes:
    """Write a value as a frame.

    Examples
    --------
    >>> decode(encode([1, 2.5, "x", None, (np.arange(3.0),)]))
    [1, 2.5, 'x', None, (array([0., 1., 2.]),)]
    """
    payload: list[bytes] = []
    header = _dumps(_to_json(value, payload, 0)).encode()
    content = b"".join(payload)
    return LENGTHS.pack(len(header), len(content)) + header + content


def _to_json(value: Any, payload: list[bytes], depth: int) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is _ndarray and value.dtype.kind in KINDS:
        order = "F" if value.flags.fnc else "C"
        payload.append(value.tobytes(order))
        return {"array": [value.dtype.str, list(value.shape), order]}
    if isinstance(value, _generic) and value.dtype.kind in KINDS:
        payload.append(value.tobytes())
        return {"scalar": value.dtype.str}
    if depth < DEEPEST:
        if kind is list:
            return {"list": [_to_json(v, payload, depth + 1) for v in value]}
        if isinstance(value, tuple):  # a named tuple, too; whatever its own iteration says
            items = tuple.__iter__(value)
            return {"tuple": [_to_json(v, payload, depth + 1) for v in items]}
        if kind is dict:
            pairs = [[_to_json(x, payload, depth + 1) for x in pair] for pair in value.items()]
            return {"dict": pairs}
    return {"other": _described(value)}


def _described(value: Any) -> str:
    kind = type(value)
    name = str(kind.__name__)[:80]
    if kind is _ndarray:
        return f"an array of dtype {value.dtype}"[:80]
    if isinstance(value, _ndarray):
        return f"a {name}, a subclass of numpy.ndarray"
    return f"an object of the class {name}"


def decode(frame: bytes) -> Any:
    """Read a whole frame."""
    if len(frame) < LENGTHS.size:
        raise BadFrame("half a frame")
    header, payload = LENGTHS.unpack_from(frame)
    if len(frame) != LENGTHS.size + header + payload:
        raise BadFrame("half a frame")
    end = LENGTHS.size + header
    return decode_parts(frame[LENGTHS.size : end], frame[end:])


def decode_parts(header: bytes, payload: bytes) -> Any:
    """Read a value from a frame's header and payload."""
    try:
        reader = _Reader(payload)
        value = reader.value(_loads(header), 0)
    except BadFrame:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, MemoryError) as error:
        raise BadFrame(f"a header that makes no sense: {type(error).__name__}") from None
    if reader.position != len(payload):
        raise BadFrame("bytes that no array claims")
    return value


class _Reader:
    """Turns a header into values, taking arrays from the payload in order."""

    def __init__(self, payload: bytes) -> None:
        self.payload, self.position = payload, 0

    def value(self, node: Any, depth: int) -> Any:
        if depth > DEEPEST + 1:
            raise BadFrame("values within values, too deep")
        if not isinstance(node, dict):
            if isinstance(node, list):
                raise BadFrame("a list without its kind")
            return node
        if len(node) != 1:
            raise BadFrame("a value of several kinds")
        ((kind, content),) = node.items()
        if kind in ("list", "tuple"):
            values = [self.value(v, depth + 1) for v in _list(content)]
            return tuple(values) if kind == "tuple" else values
        if kind == "dict":
            pairs = [_list(pair) for pair in _list(content)]
            return {self.value(k, depth + 1): self.value(v, depth + 1) for k, v in pairs}
        if kind == "array":
            dtype, shape, order = _list(content)
            return self._array(dtype, _list(shape), "F" if order == "F" else "C")
        if kind == "scalar":
            return self._array(content, [], "C")[()]
        if kind == "other":
            return Other("".join(c for c in str(content)[:120] if c.isprintable()))
        raise BadFrame("a value of no known kind")

    def _array(self, name: Any, shape: list[Any], order: Literal["C", "F"]) -> np.ndarray:
        if not isinstance(name, str) or len(name) > 4:
            raise BadFrame("no dtype")
        dtype = _dtype(name)
        if dtype.kind not in KINDS or dtype.itemsize == 0:
            raise BadFrame("a dtype that is not a number's")
        if len(shape) > 16 or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
            raise BadFrame("no shape")
        size = _prod(shape) * dtype.itemsize
        end = self.position + size
        if end > len(self.payload):
            raise BadFrame("an array larger than the frame")
        elements = _frombuffer(self.payload[self.position : end], dtype)
        self.position = end
        return elements.reshape(shape, order=order).copy(order)


def _list(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise BadFrame("not a list")
    return content
