"""Saving along the way."""

from __future__ import annotations

from pathlib import Path

from tinydl.callbacks.callback import Logs
from tinydl.callbacks.monitor import MonitorCallback
from tinydl.errors import ArgumentError
from tinydl.registry import check_count


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or only its weights, after each epoch or after so many batches.

    Parameters
    ----------
    filepath : str or Path
        Where to; it may hold fields to be filled in, as in
        ``"{epoch:02d}-{val_loss:.3f}.safetensors"``. The folder is made if need be. With
        `save_weights_only` it must end in ``.weights.safetensors``.
    monitor : str
        The name of the number that tells which epoch is best.
    verbose : int
        1 to say what was saved.
    save_best_only : bool
        Save only when that number is better than before.
    save_weights_only : bool
        Save the weights without the model's architecture.
    mode : str
        ``"min"``, ``"max"`` or ``"auto"``, see `MonitorCallback`.
    save_freq : "epoch" or int
        When to save: after each epoch, or after this many batches.
    initial_value_threshold : float, optional
        With `save_best_only`, what the first saved epoch has to beat.

    Raises
    ------
    ArgumentError
        When `save_freq` is neither of the two, or during the training, when the logs lack a field
        of `filepath`.

    Examples
    --------
    >>> import tempfile, tinydl
    >>> folder = Path(tempfile.mkdtemp())
    >>> model = tinydl.Sequential([tinydl.layers.Dense(1)])
    >>> model.compile("sgd", loss="mse")
    >>> save = ModelCheckpoint(folder / "{epoch}.safetensors")
    >>> history = model.fit([[1.0]], [2.0], epochs=2, callbacks=[save], verbose=0)
    >>> sorted(path.name for path in folder.iterdir())
    ['1.safetensors', '2.safetensors']
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        if save_freq != "epoch":
            check_count("ModelCheckpoint", 'save_freq, if not "epoch",', save_freq)
        if initial_value_threshold is not None:
            self.best = initial_value_threshold
        self.filepath = str(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._epoch = 0
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the number for the names of files."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after every `save_freq` batches."""
        self._batches += 1
        if self.save_freq != "epoch" and self._batches % int(self.save_freq) == 0:
            self._save({"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save after each epoch."""
        if self.save_freq == "epoch":
            self._save(logs or {})

    def _save(self, logs: Logs) -> None:
        if self.save_best_only and not self._is_best(logs):
            return
        path = self._path(logs)
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Epoch {self._epoch + 1}: saved {path}", flush=True)

    def _is_best(self, logs: Logs) -> bool:
        value = self.monitored(logs)
        if value is None or not self.is_better(value, self.best):
            return False
        self.best = value
        return True

    def _path(self, logs: Logs) -> Path:
        try:
            return Path(self.filepath.format(epoch=self._epoch + 1, **logs))
        except KeyError as error:
            raise ArgumentError(
                "ModelCheckpoint",
                "filepath",
                got=self.filepath,
                expected="fields out of epoch, " + ", ".join(logs),
                hint=f"there is no {error.args[0]!r}",
            ) from None
