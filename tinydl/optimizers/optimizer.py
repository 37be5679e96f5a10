"""What every optimizer is: a rule that turns a weight and its gradient into a new weight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tinydl.engine import Tensor
from tinydl.errors import ArgumentError, DataError, DTypeError, ShapeError
from tinydl.recording import mode
from tinydl.registry import Configurable, check_number

Arrays = tuple[np.ndarray, ...]
DECAY = r"w_i \leftarrow w_i - \eta \lambda w_i, \quad "


class Optimizer(Configurable):
    r"""A rule for changing weights, and the bookkeeping around it; subclass it and define `update`.

    Before the rule sees a gradient it may be clipped, and before it changes a weight the weight may
    decay:

    .. math:: w \leftarrow w - \eta \lambda w

    Parameters
    ----------
    learning_rate : float or callable
        The step size; or a function of the number of steps done so far that returns it.
    weight_decay : float, optional
        The factor :math:`\lambda` above.
    clipnorm : float, optional
        Shorten the gradient of each weight to at most this length.
    clipvalue : float, optional
        Bring each element of a gradient between -clipvalue and clipvalue.
    global_clipnorm : float, optional
        Shorten all gradients, taken together as one vector, to at most this length.
    name : str, optional
        By default the name of the class in lower case.

    Attributes
    ----------
    formula : str
        The rule in LaTeX, with scalar indices: weight w, gradient g, learning rate eta, step t.
    slots : tuple of str
        What is remembered about each weight, in the order `update` takes and returns it.
    iterations : int
        The number of steps done so far.

    Raises
    ------
    ArgumentError
        For settings out of range, or more than one way of clipping.
    """

    formula: str = ""
    slots: tuple[str, ...] = ()

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
    ) -> None:
        self.name = name or type(self).__name__.lower()
        self.learning_rate = learning_rate
        self.weight_decay = self._check_optional("weight_decay", weight_decay)
        self.clipnorm = self._check_optional("clipnorm", clipnorm)
        self.clipvalue = self._check_optional("clipvalue", clipvalue)
        self.global_clipnorm = self._check_optional("global_clipnorm", global_clipnorm)
        if sum(clip is not None for clip in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ArgumentError(
                self.name,
                "clipnorm, clipvalue and global_clipnorm",
                expected="at most one of them",
            )
        self.iterations = 0
        self._state: dict[Tensor, Arrays] = {}

    def update(
        self, w: np.ndarray, g: np.ndarray, learning_rate: float, step: int, *slots: np.ndarray
    ) -> Arrays:
        """The rule: a pure function of arrays; what subclasses define.

        Parameters
        ----------
        w, g : numpy.ndarray
            A weight and its gradient, of one shape and dtype.
        learning_rate : float
            The step size of this step.
        step : int
            The number of this step, from 1 on.
        *slots : numpy.ndarray
            What is remembered about this weight.

        Returns
        -------
        tuple of numpy.ndarray
            The new weight, which becomes read-only, then the new values of the slots.
        """
        raise NotImplementedError

    def first_slots(self, w: np.ndarray) -> Arrays:
        """What is remembered about a weight before its first step: zeros."""
        return tuple(np.zeros_like(w) for _ in self.slots)

    @property
    def learning_rate(self) -> float:
        """The step size of the next step; it may be set to a number or a function of the step."""
        rate = self._learning_rate
        return rate if isinstance(rate, float) else float(rate(self.iterations))

    @learning_rate.setter
    def learning_rate(self, value: float | Callable[[int], float]) -> None:
        if callable(value):
            self._learning_rate: float | Callable[[int], float] = value
        else:
            self._learning_rate = self._check("learning_rate", value)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Tensor]) -> None:
        """Do one step: change each variable by its gradient.

        Parameters
        ----------
        grads : sequence of Tensor, array_like or None
            One for each variable, of its shape; a variable whose gradient is None stays as it is.
        trainable_variables : sequence of Tensor

        Raises
        ------
        DataError
            When there are not as many gradients as variables.
        ShapeError
            When a gradient has not the shape of its variable; then nothing is changed.
        """
        if len(grads) != len(trainable_variables):
            raise DataError(
                self.name,
                "grads",
                got=f"a list of {len(grads)}",
                expected=f"one for each of {len(trainable_variables)} variables",
            )
        pairs = [
            (_gradient_array(self.name, g, variable), variable)
            for g, variable in zip(grads, trainable_variables, strict=True)
            if g is not None
        ]
        self.build(variable for _, variable in pairs)
        rate, step = self.learning_rate, self.iterations + 1
        clipped = self._clip([g for g, _ in pairs])
        if mode.observer is not None:
            mode.observer.before_update(self, pairs, clipped)
        for g, (_, variable) in zip(clipped, pairs, strict=True):
            w = variable.data
            if self.weight_decay:
                w = w - rate * self.weight_decay * w
            w, *slots = self.update(w, g, rate, step, *self._state[variable])
            variable.assign(w, copy=False)
            self._state[variable] = tuple(slots)
        self.iterations = step
        if mode.observer is not None:
            mode.observer.after_update(self)

    def step(self) -> None:
        """Do one step with the gradients that `backward` left in the variables' ``.grad``.

        The variables are those that `build` was called with. Their gradients stay: set them to
        None before the next `backward`, which would add to them.

        Raises
        ------
        ArgumentError
            Before `build`: the optimizer then knows no variables.

        Examples
        --------
        >>> from tinydl import tensor
        >>> from tinydl.optimizers import SGD
        >>> w = tensor(3.0, requires_grad=True)
        >>> optimizer = SGD(learning_rate=0.25)
        >>> optimizer.build([w])
        >>> (w * w).backward()
        >>> optimizer.step()
        >>> w.item()
        1.5
        """
        variables = list(self._state)
        if not variables:
            raise ArgumentError(
                f"{self.name}.step",
                "the optimizer",
                got="without variables",
                expected="one that was built",
                hint="call build(model.trainable_weights) first",
            )
        self.apply([variable.grad for variable in variables], variables)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Tensor]]) -> None:
        """Do one step from pairs of a gradient and its variable; see `apply`."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [variable for _, variable in pairs])

    def build(self, variables: Iterable[Tensor]) -> None:
        """Begin to remember things about variables that are new; `apply` calls this by itself."""
        for variable in variables:
            if variable not in self._state:
                self._state[variable] = self.first_slots(variable.data)

    @property
    def variables(self) -> list[np.ndarray]:
        """What is remembered: every slot of every variable, in the order they were first seen."""
        return [slot for slots in self._state.values() for slot in slots]

    def get_state(self) -> dict[str, Any]:
        """The number of steps done, and copies of what is remembered.

        Returns
        -------
        dict
            ``{"iterations": int, "slots": [array, ...]}``, with the arrays as in `variables`.
        """
        return {"iterations": self.iterations, "slots": [slot.copy() for slot in self.variables]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state that `get_state` returned; first `build` for the same variables.

        Raises
        ------
        ShapeError
            When the arrays do not fit the variables; then nothing is changed.
        """
        arrays = [np.array(slot) for slot in state["slots"]]
        got, expected = [a.shape for a in arrays], [slot.shape for slot in self.variables]
        if got != expected:
            raise ShapeError(
                f"set_state of {self.name}",
                "slots",
                got=got,
                expected=expected,
                hint="build the optimizer for the same variables first",
            )
        remaining = iter(arrays)
        for variable, slots in self._state.items():
            self._state[variable] = tuple(next(remaining).astype(slot.dtype) for slot in slots)
        self.iterations = int(state["iterations"])

    def _clip(self, gradients: list[np.ndarray]) -> list[np.ndarray]:
        if self.clipvalue is not None:
            return [np.clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        if self.clipnorm is not None:
            return [_shorten([g], self.clipnorm)[0] for g in gradients]
        if self.global_clipnorm is not None:
            return _shorten(gradients, self.global_clipnorm)
        return gradients

    def _check(self, argument: str, value: float, below: float = np.inf) -> float:
        """Refuse a setting outside [0, below)."""
        expected = "of at least 0" if below == np.inf else f"of at least 0 and below {below:g}"
        return check_number(self.name, argument, value, lambda v: 0 <= v < below, expected)

    def _check_optional(self, argument: str, value: float | None) -> float | None:
        return None if value is None else self._check(argument, value)


def _gradient_array(where: str, gradient: Any, variable: Tensor) -> np.ndarray:
    if not isinstance(variable, Tensor):
        raise DTypeError(where, "a variable", got=type(variable).__name__, expected="a Tensor")
    array = gradient.data if isinstance(gradient, Tensor) else np.asarray(gradient)
    if array.shape != variable.shape:
        raise ShapeError(
            where,
            f"the gradient of {variable.name or 'a variable'}",
            got=array.shape,
            expected=f"{variable.shape}, as the variable",
        )
    return array.astype(variable.dtype, copy=False)


def _shorten(gradients: list[np.ndarray], longest: float) -> list[np.ndarray]:
    """Scale down all gradients together so that, as one vector, they are at most `longest` long."""
    length = float(np.sqrt(sum(np.sum(np.square(g), dtype=np.float64) for g in gradients)))
    return [g * (longest / length) for g in gradients] if length > longest else gradients
