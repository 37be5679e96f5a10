"""Changing the learning rate from epoch to epoch."""

from __future__ import annotations

from collections.abc import Callable

from tinydl.callbacks.callback import Callback, Logs
from tinydl.callbacks.monitor import MonitorCallback
from tinydl.errors import ArgumentError


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    Parameters
    ----------
    schedule : callable
        Gets the epoch's number and the learning rate so far, returns the new one.
    verbose : int
        1 to print the rate.

    Raises
    ------
    ArgumentError
        During the training, when the schedule does not return a number.

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, MIT Press 2016, section 8.3.1.

    Examples
    --------
    >>> import tinydl
    >>> model = tinydl.Sequential([tinydl.layers.Dense(1)])
    >>> model.compile(tinydl.optimizers.SGD(learning_rate=0.5), loss="mse")
    >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2)
    >>> history = model.fit([[0.0]], [0.0], epochs=3, callbacks=[halve], verbose=0)
    >>> history.history["learning_rate"]
    [0.25, 0.125, 0.0625]
    """

    formula = r"\eta_e = s(e, \eta_{e-1})"

    def __init__(self, schedule: Callable[[int, float], float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        rate = self.schedule(epoch, float(self.model.optimizer.learning_rate))
        try:
            self.model.optimizer.learning_rate = float(rate)
        except TypeError:
            raise ArgumentError(
                "LearningRateScheduler",
                "what schedule returns",
                got=repr(rate),
                expected="a number",
            ) from None
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g}", flush=True)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the rate to the logs."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a number has not improved for some epochs.

    Parameters
    ----------
    monitor : str
        The name of the number in the logs.
    factor : float
        What the rate is multiplied by; below 1.
    patience : int
        How many epochs without improvement are endured.
    verbose : int
        1 to say what was done.
    mode : str
        ``"min"``, ``"max"`` or ``"auto"``, see `MonitorCallback`.
    min_delta : float
        By how much a number must be better to count.
    cooldown : int
        How many epochs after a reduction are not counted.
    min_lr : float
        The rate is not lowered below this.

    Raises
    ------
    ArgumentError
        When the factor is not between 0 and 1.

    Source: He et al., *Deep residual learning for image recognition*, arXiv:1512.03385, section
    3.4.

    Examples
    --------
    >>> import tinydl
    >>> model = tinydl.Sequential([tinydl.layers.Dense(1, use_bias=False)])
    >>> model.compile(tinydl.optimizers.SGD(learning_rate=0.5), loss="mse")
    >>> reduce = ReduceLROnPlateau("loss", factor=0.5, patience=1)
    >>> history = model.fit([[0.0]], [1.0], epochs=4, callbacks=[reduce], verbose=0)
    >>> history.history["learning_rate"]
    [0.5, 0.5, 0.25, 0.125]
    """

    formula = (
        r"\eta \leftarrow \max(f \eta, \eta_{\min})"
        r" \text{ after } p \text{ epochs without improvement}"
    )

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ArgumentError(
                "ReduceLROnPlateau", "factor", got=factor, expected="a number between 0 and 1"
            )
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget a former training."""
        self.best = self.worst
        self.wait = 0
        self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the best epoch, and lower the rate if that is too long ago."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self.monitored(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best = value
            self.wait = 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        optimizer.learning_rate = max(float(optimizer.learning_rate) * self.factor, self.min_lr)
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose:
            rate = float(optimizer.learning_rate)
            print(f"Epoch {epoch + 1}: the learning rate is lowered to {rate:g}", flush=True)
