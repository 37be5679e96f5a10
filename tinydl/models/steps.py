r"""One training step, and one walk through the batches of an epoch.

A step takes a batch of samples, computes the loss and its gradients, and lets the optimizer change
the weights:

.. math:: w \leftarrow w - \text{step}\Big( \nabla_w \big( \tfrac{1}{n} \sum_i s_i \,
          \ell(t_i, f(x_i; w)) + R(w) \big) \Big)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinydl.callbacks import CallbackList
from tinydl.engine import Tensor, grad, no_grad, quiet
from tinydl.errors import NumericalError
from tinydl.layers.layer import Layer, penalties_of, weights_of
from tinydl.models.batches import Batch, Batches
from tinydl.models.metric_list import MetricList


class Steps(Layer):
    """A layer with a loss and an optimizer; `Trainer` makes `fit` of its steps.

    Attributes
    ----------
    optimizer : Optimizer
        What changes the weights.
    loss : Loss
        What is made small.
    stop_training : bool
        Set it to True to end `fit` after the batch at hand.
    """

    optimizer: Any = None
    loss: Any = None
    stop_training = False
    _metrics: MetricList

    def reset_metrics(self) -> None:
        """Start new means of the loss and of all metrics."""
        self._metrics.reset_state()

    def _train(
        self, batches: Batches, order: np.ndarray | None, callbacks: CallbackList, check: str
    ) -> dict[str, float]:
        """One epoch; `check` says where we are if the loss has to be finite."""
        logs: dict[str, float] = {}
        family: list[Layer] = []
        self.reset_metrics()
        for step, batch in enumerate(batches.cut(order)):
            callbacks.on_train_batch_begin(step)
            y_pred = self._forward(batch, training=True)
            family = family or self._family()  # the first batch may build some
            loss = self._loss_of(batch, y_pred, family)
            if check and not math.isfinite(loss.item()):
                raise _diverged(loss, batch, f"{check}, step {step + 1}")
            self._update(loss, family)
            logs = self._track(batch, y_pred, loss)
            callbacks.on_train_batch_end(step, logs)
            if self.stop_training:
                break
        return logs

    def _judge(self, batches: Batches, callbacks: CallbackList) -> dict[str, float]:
        """The loss and the metrics of all batches."""
        logs: dict[str, float] = {}
        family: list[Layer] = []
        self.reset_metrics()
        callbacks.on_test_begin()
        try:
            for step, batch in enumerate(batches.cut()):
                callbacks.on_test_batch_begin(step)
                y_pred = self._forward(batch, training=False)
                family = family or self._family()
                loss = self._loss_of(batch, y_pred, family)
                logs = self._track(batch, y_pred, loss)
                callbacks.on_test_batch_end(step, logs)
        finally:
            callbacks.on_test_end(logs)
        return logs

    def _forward(self, batch: Batch, training: bool) -> Tensor:
        """What the model says.

        It is recorded even where no gradient is wanted: the cross-entropies look at the op that
        made a probability, to compute with its logits instead.
        """
        with quiet():
            return self(Tensor(batch.x), training=training)

    def _loss_of(self, batch: Batch, y_pred: Tensor, family: list[Layer]) -> Tensor:
        """The loss, and what the weights of the family add to it."""
        assert batch.y is not None
        with quiet():
            loss = self.loss(Tensor(batch.y), y_pred, batch.sample_weight)
            for penalty in penalties_of(family):
                loss = loss + penalty
        return loss

    def _update(self, loss: Tensor, family: list[Layer]) -> None:
        """Change the weights to make the loss smaller; all of them, or (after Ctrl-C) none."""
        weights = [w for w in weights_of(family) if w.requires_grad]
        if not weights:
            return
        gradients = grad(loss, weights, allow_unused=True)
        before = [w.data for w in weights]
        try:
            self.optimizer.apply(gradients, weights)
        except BaseException:
            for w, array in zip(weights, before, strict=True):
                w.assign(array)
            raise

    def _track(self, batch: Batch, y_pred: Tensor, loss: Tensor) -> dict[str, float]:
        """Take a batch into the means, and return these."""
        assert batch.y is not None
        return self._metrics.update_state(batch.y, y_pred.data, loss.item())

    def _predict(self, batch: Batch) -> np.ndarray:
        with no_grad():
            return self(Tensor(batch.x), training=False).numpy()


def _diverged(loss: Tensor, batch: Batch, when: str) -> NumericalError:
    hint = "a smaller learning rate may help"
    for argument, array in (("x", batch.x), ("y", batch.y)):
        if array is not None and not np.isfinite(array).all():
            hint = f"{argument} itself holds NaN or infinite numbers in this batch"
    return NumericalError(
        "fit",
        f"the loss in {when}",
        got=loss.item(),
        expected="a finite number",
        hint=f"{hint}; the weights are those from before this step",
    )
