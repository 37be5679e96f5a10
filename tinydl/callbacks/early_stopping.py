"""Stop when it does not get better any more."""

from __future__ import annotations

import numpy as np

from tinydl.callbacks.callback import Logs
from tinydl.callbacks.monitor import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Ends the training when a number has not improved for some epochs.

    Source: Prechelt, "Early stopping - but when?", in *Neural Networks: Tricks of the Trade*,
    Springer 1998.

    Parameters
    ----------
    monitor : str
        The name of the number in the logs.
    min_delta : float
        By how much it must be better to count.
    patience : int
        How many epochs without improvement are endured.
    verbose : int
        1 to say what was done.
    mode : str
        ``"min"``, ``"max"`` or ``"auto"``, see `MonitorCallback`.
    baseline : float, optional
        Epochs that do not beat this number do not count as improvements.
    restore_best_weights : bool
        Whether to go back to the weights of the best epoch at the end.
    start_from_epoch : int
        From which epoch on to watch.

    Attributes
    ----------
    stopped_epoch : int
        The epoch after which the training ended; 0 if it was not ended by this callback.
    best_epoch : int
        The epoch with the best number.

    Examples
    --------
    A learning rate of 0 improves nothing, so three epochs of patience are over after the fourth:

    >>> import tinydl
    >>> model = tinydl.Sequential([tinydl.layers.Dense(1)])
    >>> model.compile(tinydl.optimizers.SGD(learning_rate=0.0), loss="mse")
    >>> stop = EarlyStopping(monitor="loss", patience=3)
    >>> history = model.fit([[1.0]], [2.0], epochs=10, callbacks=[stop], verbose=0)
    >>> history.epoch
    [0, 1, 2, 3]
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget a former training."""
        self.best = self.worst
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the best epoch, and stop if that is too long ago."""
        value = self.monitored(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Go back to the best weights, if asked for."""
        if self.verbose and self.stopped_epoch:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping", flush=True)
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of epoch {self.best_epoch + 1}", flush=True)
            self.model.set_weights(self.best_weights)
