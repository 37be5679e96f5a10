"""Exceptions that teach: each names the argument, what it got, what it expected, and a mend.

Every class also is the built-in exception a caller would expect (`ValueError`, `TypeError`, ...),
so ``except ValueError`` keeps working.

Examples
--------
>>> raise ShapeError("matmul", "x2", got=(3, 4), expected="(5, any)", hint="transpose x2?")
Traceback (most recent call last):
    ...
tinydl.errors.ShapeError: matmul: x2 is (3, 4), expected (5, any); transpose x2?
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class TinydlError(Exception):
    """The common base of every exception that tinydl raises on purpose.

    Parameters
    ----------
    where : str
        The public function, layer or option that refuses.
    argument : str
        The argument at fault, by the name the caller used for it.
    got, expected : object
        What was passed and what would have been accepted (a shape, a dtype, or words).
    hint : str
        How to mend it.
    """

    def __init__(
        self,
        where: str,
        argument: str = "",
        *,
        got: Any = None,
        expected: Any = None,
        hint: str = "",
    ) -> None:
        self.where, self.argument = where, argument
        self.got, self.expected, self.hint = got, expected, hint
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        parts = []
        if self.got is not None:
            parts.append(f"{self.argument} is {self.got}")
        elif self.argument:
            parts.append(self.argument)
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        sentence = ", ".join(parts)
        if self.hint:
            sentence = f"{sentence}; {self.hint}" if sentence else self.hint
        return f"{self.where}: {sentence}"

    def __reduce__(self) -> tuple[Any, ...]:
        settings = (self.where, self.argument, self.got, self.expected, self.hint)
        return (_rebuild, (type(self), settings))


def _rebuild(cls: type[TinydlError], settings: tuple[Any, ...]) -> TinydlError:
    where, argument, got, expected, hint = settings
    return cls(where, argument, got=got, expected=expected, hint=hint)


class ShapeError(TinydlError, ValueError):
    """An array has the wrong number of axes or the wrong length along one."""


class DTypeError(TinydlError, TypeError):
    """An array's elements, or an argument, are of a type that cannot be used here."""


class ArgumentError(TinydlError, ValueError):
    """A setting is outside what is allowed, or its name is unknown."""


class GradientError(TinydlError, RuntimeError):
    """A gradient cannot be computed, or would be wrong."""


class NumericalError(TinydlError, ArithmeticError):
    """A number that must be finite became NaN or infinite."""


class DataError(TinydlError, ValueError):
    """Data are empty, do not match each other, or hold values out of range."""


class FileFormatError(TinydlError, ValueError):
    """A file is truncated, damaged, or not of the kind that was asked for."""


def unknown_name(where: str, argument: str, got: object, known: Iterable[str]) -> ArgumentError:
    """The error for a name that is not in a table, with the closest known name as the hint.

    Examples
    --------
    >>> str(unknown_name("compile", "optimizer", "adm", ["adam", "sgd"]))
    "compile: optimizer is 'adm', expected one of adam, sgd; did you mean 'adam'?"
    """
    import difflib  # not when tinydl is imported: it takes some milliseconds

    names = sorted(known)
    close = difflib.get_close_matches(str(got).lower(), names, n=1)
    return ArgumentError(
        where,
        argument,
        got=repr(got),
        expected="one of " + ", ".join(names),
        hint=f"did you mean {close[0]!r}?" if close else "",
    )
