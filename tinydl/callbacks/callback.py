"""The base of every callback: hooks that do nothing until a subclass fills them."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any]


class Callback:
    """Something to do at certain moments of `fit`, `evaluate` or `predict`; subclass it.

    `logs` holds the loss and the metrics as means over the epoch so far. At the end of an epoch it
    also holds those of the validation data, as ``val_loss`` and so on. What one callback adds to
    it there, the callbacks after it see, and the history keeps.

    Attributes
    ----------
    model : Model
        The model at work. Setting ``model.stop_training = True`` ends `fit` after this batch.
    params : dict
        ``epochs``, ``steps`` (batches in an epoch), ``samples`` and ``verbose``.

    Examples
    --------
    >>> class Count(Callback):
    ...     batches = 0
    ...     def on_train_batch_end(self, batch, logs=None):
    ...         self.batches += 1
    >>> import tinydl
    >>> model = tinydl.Sequential([tinydl.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> count = Count()
    >>> history = model.fit([[1.0], [2.0]], [1.0, 2.0], batch_size=1, callbacks=[count], verbose=0)
    >>> count.batches
    2
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Learn how long the work is going to be."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Learn which model is at work."""
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch of `fit`."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch of `fit`, also when Ctrl-C or an error ended it."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before each epoch; the first has number 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After each epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each training step; the first of an epoch has number 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each training step."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name for `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name for `on_train_batch_end`."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before `evaluate`, and before the validation of an epoch."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After `evaluate`, and after the validation of an epoch, however they end."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch of an evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After `predict`, however it ends."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch of `predict`; ``logs["outputs"]`` is what the model answered."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
