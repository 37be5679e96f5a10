"""Objects that say how they were made, and tables that find them by name.

Layers, losses, optimizers and their like can be asked for by a name ("adam"), and can be written
down as JSON and made again from it. Both live here, so each class only states its arguments.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np

from tinydl.errors import ArgumentError, unknown_name


class Configurable:
    """An object described by the arguments it was made with.

    Keep each argument of ``__init__`` in an attribute of the same name; then `get_config` needs no
    code of its own. Arguments collected by ``**kwargs`` are looked up in the parent class.

    Examples
    --------
    >>> class Shift(Configurable):
    ...     def __init__(self, by=1.0):
    ...         self.by = by
    >>> Shift(by=2.0).get_config()
    {'by': 2.0}
    >>> Shift.from_config({'by': 3.0}).by
    3.0
    """

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal object, as JSON can hold them."""
        return {name: serialize(self._argument(name)) for name in argument_names(type(self))}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make an object from what `get_config` returned."""
        return cls(**config)

    def _argument(self, name: str) -> Any:
        try:
            return getattr(self, name)
        except AttributeError:
            raise ArgumentError(
                type(self).__name__,
                f"__init__ has the argument {name}, but the object no attribute of that name",
                hint=f"write self.{name} = {name}, or define get_config",
            ) from None

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def argument_names(cls: type) -> list[str]:
    """The names of the arguments that make an object of this class.

    Examples
    --------
    >>> argument_names(Registry)
    ['module', 'kind', 'entries', 'aliases']
    """
    names: dict[str, None] = {}
    for ancestor in cls.__mro__:
        if "__init__" in vars(ancestor) and ancestor is not object:
            parameters = list(inspect.signature(vars(ancestor)["__init__"]).parameters.values())[1:]
            names.update((p.name, None) for p in parameters if p.kind is not p.VAR_KEYWORD)
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                break
    return list(names)


def serialize(value: Any) -> Any:
    """Write a value as JSON can hold it: objects by class and arguments, functions by name.

    A random number generator is written as None: its state is not part of an object's description.
    """
    if isinstance(value, Configurable):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if isinstance(value, np.random.Generator):
        return None
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, (list, tuple)):
        return [serialize(part) for part in value]
    if isinstance(value, dict):
        return {key: serialize(part) for key, part in value.items()}
    if callable(value):
        return value.__name__
    return value


def snake_case(name: str) -> str:
    """Turn a class name into the name Keras uses.

    Examples
    --------
    >>> [snake_case(name) for name in ("GlorotUniform", "Conv2D", "MaxPooling2D", "SGD")]
    ['glorot_uniform', 'conv2d', 'max_pooling2d', 'sgd']
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


class Registry:
    """A table of classes and functions of one kind, found by name in any spelling of case.

    Parameters
    ----------
    module, kind : str
        Where the entries are found, and what one of them is: ``"losses"``, ``"loss"``.
    entries : iterable of class or function
        Each is known by its own name, also in snake case.
    aliases : dict
        Further names.

    Examples
    --------
    >>> from tinydl.activations import relu
    >>> activations = Registry("activations", "activation", [relu], {})
    >>> activations.find("ReLU") is relu
    True
    >>> activations.find("rely")
    Traceback (most recent call last):
        ...
    tinydl.errors.ArgumentError: activations.get: activation is 'rely', expected one of relu; did
    you mean 'relu'?
    """

    def __init__(
        self, module: str, kind: str, entries: Iterable[Any], aliases: dict[str, Any]
    ) -> None:
        self.where, self.kind = f"{module}.get", kind
        named = {snake_case(entry.__name__): entry for entry in entries} | aliases
        self._names = list(named)
        self._table = {_plain(name): entry for name, entry in named.items()}

    def __iter__(self) -> Iterator[Any]:
        """Every class or function, once."""
        return iter(dict.fromkeys(self._table.values()))

    def find(self, name: str, custom_objects: dict[str, Any] | None = None) -> Any:
        """The class or function of this name."""
        if custom_objects and name in custom_objects:
            return custom_objects[name]
        if _plain(name) not in self._table:
            raise unknown_name(self.where, self.kind, name, self._names)
        return self._table[_plain(name)]

    def get(self, identifier: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """The object meant by a name, a description from `serialize`, a class, or an object.

        Parameters
        ----------
        identifier : str, dict, class or object
            A class is called without arguments; anything callable is taken as it is.
        custom_objects : dict
            Classes and functions of the caller's own, by name; they come first.

        Raises
        ------
        ArgumentError
            For an unknown name, or something that is none of the above.
        """
        if isinstance(identifier, str):
            identifier = self.find(identifier, custom_objects)
        elif isinstance(identifier, dict) and identifier.keys() == {"class_name", "config"}:
            found = self.find(identifier["class_name"], custom_objects)
            return found.from_config(identifier["config"])
        if isinstance(identifier, type):
            return identifier()
        if isinstance(identifier, Configurable) or callable(identifier):
            return identifier
        raise ArgumentError(
            self.where,
            self.kind,
            got=repr(identifier),
            expected=f"the name of a known {self.kind}, or an object",
        )


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def check_number(
    where: str,
    argument: str,
    value: Any,
    allowed: Callable[[float], bool],
    expected: str,
) -> float:
    """Return `value` as a float, or refuse what is not a real number that is allowed.

    Examples
    --------
    >>> check_number("Dropout", "rate", 0.5, lambda rate: 0 <= rate < 1, "in [0, 1)")
    0.5
    """
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not real or not allowed(value):
        raise ArgumentError(where, argument, got=repr(value), expected=f"a number {expected}")
    return float(value)


def check_count(where: str, argument: str, value: Any) -> int:
    """Return `value` as an int, or refuse what is not a whole number of at least 1.

    Examples
    --------
    >>> check_count("Dense", "units", 10)
    10
    """
    if not hasattr(value, "__index__") or isinstance(value, bool) or value < 1:
        raise ArgumentError(where, argument, got=repr(value), expected="a whole number, at least 1")
    return int(value)
