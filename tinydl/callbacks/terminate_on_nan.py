"""A quiet end for a training that diverged."""

from __future__ import annotations

import math

from tinydl.callbacks.callback import Callback, Logs


class TerminateOnNaN(Callback):
    """Ends the training when the loss has become NaN or infinite, without an exception.

    `fit` by itself raises `NumericalError` then; among its callbacks, this one takes that over.

    Examples
    --------
    >>> import tinydl
    >>> model = tinydl.Sequential([tinydl.layers.Dense(1)])
    >>> model.compile("sgd", loss="mse")
    >>> stop = TerminateOnNaN()
    >>> history = model.fit([[1.0]], [math.nan], epochs=9, callbacks=[stop], verbose=0)
    Batch 0: the loss is not finite any more, training ends
    >>> history.history
    {'loss': [nan]}
    """

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss."""
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            print(f"Batch {batch}: the loss is not finite any more, training ends", flush=True)
            self.model.stop_training = True
