"""The training loop: what compile, fit, evaluate and predict do.

The step that changes the weights is in `tinydl.models.steps`; everything around it (shuffling,
means over the epoch, callbacks) is bookkeeping.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinydl import losses, optimizers, random
from tinydl.callbacks import Callback, CallbackList, History, ProgbarLogger, TerminateOnNaN
from tinydl.errors import ArgumentError
from tinydl.models.batches import Batches
from tinydl.models.metric_list import MetricList
from tinydl.models.steps import Steps
from tinydl.registry import check_count, serialize


class Trainer(Steps):
    """A layer that can be trained; `Model` adds weights, files and a summary.

    Attributes
    ----------
    compile_config : dict or None
        The arguments of `compile`, as JSON can hold them.
    history : History or None
        What the last `fit` recorded, also if Ctrl-C ended it.
    """

    history: History | None = None
    compile_config: dict[str, Any] | None = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Iterable[Any] | None = None,
    ) -> None:
        """Say how the model is to be trained and judged.

        Parameters
        ----------
        optimizer : str or Optimizer
            What changes the weights.
        loss : str, Loss or callable
            What is made small. A function of (y_true, y_pred) gives one number a sample.
        metrics : iterable of str, Metric or callable, optional
            What else is reported.

        Raises
        ------
        ArgumentError
            For an unknown name, with the closest known one, or a loss that is not reduced to a
            single number.

        Examples
        --------
        >>> from tinydl.layers import Dense
        >>> from tinydl.models import Sequential
        >>> Sequential([Dense(1)]).compile("adam", loss="mean_square_error")
        Traceback (most recent call last):
            ...
        tinydl.errors.ArgumentError: losses.get: loss is 'mean_square_error', ...;
        did you mean 'mean_squared_error'?
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss = None if loss is None else losses.get(loss)
        if self.loss is not None and self.loss.reduction in (None, "none"):
            raise ArgumentError(
                "compile",
                "loss",
                got=f"{self.loss.name} with reduction={self.loss.reduction!r}",
                expected='a single number: reduction="sum_over_batch_size" or "sum"',
            )
        self._metrics = MetricList(metrics or ())
        self.compile_config = serialize(
            {"optimizer": self.optimizer, "loss": loss, "metrics": self._metrics.identifiers}
        )

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Iterable[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: tuple[Any, ...] | None = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
        terminate_on_nan: bool = True,
    ) -> History:
        """Train the model.

        Samples are shuffled anew each epoch and cast to the model's dtype batch by batch. The loss
        and the metrics are means over the samples of the epoch, while the weights change.

        Ctrl-C ends the training with the weights of the last complete step; the epochs completed
        until then are in ``model.history``.

        Parameters
        ----------
        x : array_like of real numbers, shape (N, ...)
            The samples. (N, 28, 28) will do where the model says (28, 28, 1).
        y : array_like of real numbers, shape (N, ...)
            The targets.
        batch_size : int, optional
            Samples in a step, 32 if not given; the last batch of an epoch may be shorter.
        epochs : int
            The number of the last epoch, counted from 1.
        verbose : "auto", 0, 1 or 2
            Silent, a live bar, or a line an epoch; "auto" means 1 on a terminal, else 2.
        callbacks : iterable of Callback, optional
            What to do along the way.
        validation_split : float
            Which part of the samples to validate with instead of training on them: the last ones,
            before any shuffling.
        validation_data : tuple, optional
            (x, y) or (x, y, sample_weight) to validate with after an epoch.
        shuffle : bool
            Whether to take the samples in a new order each epoch.
        class_weight : dict of int to float, optional
            How much the samples of each class count in training; 1 for classes not named.
        sample_weight : array_like, shape (N,), optional
            How much each sample counts.
        initial_epoch : int
            The number of epochs that were done before, to go on with a training.
        steps_per_epoch : int, optional
            At most so many batches an epoch.
        validation_steps : int, optional
            At most so many batches a validation.
        validation_batch_size : int, optional
            As `batch_size` if not given.
        validation_freq : int
            Validate after every so many epochs.
        terminate_on_nan : bool
            Whether to raise `NumericalError` as soon as the loss is NaN or infinite. The weights
            stay those from before that step. With the callback `TerminateOnNaN` nothing is raised.

        Returns
        -------
        History
            ``history.history["loss"]`` and so on, one number an epoch.

        Raises
        ------
        NumericalError
            When the loss becomes NaN or infinite; it names the epoch and the step.
        DataError
            When there are no samples, lengths differ, or a label is out of range.
        ShapeError, DTypeError
            When an array does not fit the model, or does not hold real numbers.
        ArgumentError
            When the model is not compiled, or a setting is out of range.

        Examples
        --------
        >>> from tinydl.layers import Dense
        >>> from tinydl.models import Sequential
        >>> model = Sequential([Dense(1)])
        >>> model.compile(optimizers.SGD(learning_rate=0.1), loss="mse")
        >>> x = np.array([[0.0], [1.0], [2.0]])
        >>> history = model.fit(x, 3 * x + 1, epochs=200, verbose=0)
        >>> np.round(model.predict([[10.0]], verbose=0), 1)
        array([[31.]], dtype=float32)
        """
        self._require("fit", y)
        check_count("fit", "epochs", epochs)
        check_count("fit", "validation_freq", validation_freq)
        if not hasattr(initial_epoch, "__index__") or initial_epoch < 0:
            raise ArgumentError(
                "fit", "initial_epoch", got=repr(initial_epoch), expected="a whole number from 0 on"
            )
        train = Batches("fit", x, y, sample_weight, batch_size, steps_per_epoch, self.dtype)
        if validation_split and validation_data is None:
            train, validation_data = train.split(validation_split)
        validation = None
        if validation_data is not None:
            size = batch_size if validation_batch_size is None else validation_batch_size
            validation = self._validation(validation_data, size, validation_steps)
        if class_weight is not None:
            train.weigh(class_weight, self._classes(train))

        self.history, self.stop_training = History(), False
        together = self._callbacks("fit", callbacks, verbose, train, epochs, self.history)
        quiet = any(isinstance(callback, TerminateOnNaN) for callback in together.callbacks)
        logs: dict[str, float] = {}
        together.on_train_begin()
        try:
            for epoch in range(initial_epoch, epochs):
                together.on_epoch_begin(epoch)
                order = random.default_generator().permutation(train.samples) if shuffle else None
                check = f"epoch {epoch + 1}" if terminate_on_nan and not quiet else ""
                logs = self._train(train, order, together, check)
                if validation is not None and (epoch + 1) % validation_freq == 0:
                    judged = self._judge(validation, together)
                    logs.update({f"val_{name}": value for name, value in judged.items()})
                together.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
        finally:
            together.on_train_end(logs)
        return self.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Iterable[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Compute the loss and the metrics of samples; nothing is changed.

        Parameters
        ----------
        x, y, batch_size, verbose, sample_weight, callbacks
            As in `fit`.
        steps : int, optional
            At most so many batches.
        return_dict : bool
            Return a dict of name to value instead of a list.

        Returns
        -------
        float, list of float or dict
            The loss, followed by the metrics if there are any.

        Raises
        ------
        DataError, ShapeError, DTypeError, ArgumentError
            As `fit` does.

        Examples
        --------
        >>> from tinydl.layers import Activation
        >>> from tinydl.models import Sequential
        >>> model = Sequential([Activation("relu")])
        >>> model.compile(loss="mse", metrics=["mae"])
        >>> model.evaluate([[1.0], [-3.0]], [[1.0], [2.0]], verbose=0)
        [2.0, 1.0]
        """
        self._require("evaluate", y)
        batches = Batches("evaluate", x, y, sample_weight, batch_size, steps, self.dtype)
        logs = self._judge(batches, self._callbacks("evaluate", callbacks, verbose, batches))
        return _results(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Iterable[Callback] | None = None,
    ) -> np.ndarray:
        """Compute what the model says about samples.

        Parameters
        ----------
        x, batch_size, verbose, callbacks
            As in `fit`.
        steps : int, optional
            At most so many batches.

        Returns
        -------
        numpy.ndarray, shape (N, ...)

        Raises
        ------
        DataError, ShapeError, DTypeError, ArgumentError
            As `fit` does.

        Examples
        --------
        >>> from tinydl.layers import Activation
        >>> from tinydl.models import Sequential
        >>> Sequential([Activation("relu")]).predict([[1.0], [-3.0]], verbose=0)
        array([[1.],
               [0.]], dtype=float32)
        """
        batches = Batches("predict", x, batch_size=batch_size, steps=steps, dtype=self.dtype)
        together = self._callbacks("predict", callbacks, verbose, batches)
        outputs = []
        together.on_predict_begin()
        try:
            for step, batch in enumerate(batches.cut()):
                together.on_predict_batch_begin(step)
                outputs.append(self._predict(batch))
                together.on_predict_batch_end(step, {"outputs": outputs[-1]})
        finally:
            together.on_predict_end()
        return np.concatenate(outputs)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Do one training step.

        Parameters
        ----------
        x, y, sample_weight, class_weight
            As in `fit`; all samples make one batch.
        return_dict : bool
            Return a dict of name to value instead of a list.

        Returns
        -------
        float, list of float or dict
            The loss, and the metrics if there are any: means since `reset_metrics` was called.

        Examples
        --------
        >>> from tinydl.layers import Dense
        >>> from tinydl.models import Sequential
        >>> model = Sequential([Dense(1, kernel_initializer="zeros", use_bias=False)])
        >>> model.compile(optimizers.SGD(learning_rate=0.5), loss="mse")
        >>> model.train_on_batch([[1.0]], [[2.0]])
        4.0
        >>> model.predict_on_batch([[1.0]])
        array([[2.]], dtype=float32)
        """
        self._require("train_on_batch", y)
        batches = self._single("train_on_batch", x, y, sample_weight)
        if class_weight is not None:
            batches.weigh(class_weight, self._classes(batches))
        batch = next(batches.cut())
        y_pred, family = self._forward(batch, training=True), self._family()
        loss = self._loss_of(batch, y_pred, family)
        self._update(loss, family)
        return _results(self._track(batch, y_pred, loss), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Compute the loss and the metrics of one batch, without a training step.

        Parameters and results are those of `train_on_batch`.
        """
        self._require("test_on_batch", y)
        batch = next(self._single("test_on_batch", x, y, sample_weight).cut())
        y_pred = self._forward(batch, training=False)
        loss = self._loss_of(batch, y_pred, self._family())
        return _results(self._track(batch, y_pred, loss), return_dict)

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """Compute what the model says about samples, all in one batch."""
        return self._predict(next(self._single("predict_on_batch", x).cut()))

    @property
    def metrics(self) -> list[Any]:
        """The mean of the loss, and the metrics."""
        return [] if self.loss is None else self._metrics.all

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`, in the order of what `evaluate` returns."""
        return [metric.name for metric in self.metrics]

    def _require(self, where: str, y: Any) -> None:
        """Refuse to train or judge without a loss, or without targets."""
        if self.loss is None:
            raise ArgumentError(
                where,
                "the model",
                got="not compiled with a loss",
                expected="a compiled one",
                hint="call model.compile(optimizer=..., loss=...) first",
            )
        if y is None:
            raise ArgumentError(where, "y", got="missing", expected="a target for each sample in x")

    def _single(self, where: str, x: Any, y: Any = None, sample_weight: Any = None) -> Batches:
        return Batches(where, x, y, sample_weight, batch_size=sys.maxsize, dtype=self.dtype)

    def _validation(self, data: Any, batch_size: int | None, steps: int | None) -> Batches:
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            got = f"{len(data)} parts" if isinstance(data, (tuple, list)) else type(data).__name__
            raise ArgumentError(
                "fit", "validation_data", got=got, expected="(x, y) or (x, y, sample_weight)"
            )
        x, y, sample_weight = (*data, None)[:3]
        self._require("fit, validation_data", y)
        return Batches("fit, validation_data", x, y, sample_weight, batch_size, steps, self.dtype)

    def _callbacks(
        self,
        where: str,
        callbacks: Iterable[Callback] | None,
        verbose: str | int,
        batches: Batches,
        epochs: int = 1,
        history: History | None = None,
    ) -> CallbackList:
        """The user's callbacks, the progress bar if it is wanted, and the history."""
        if verbose not in ("auto", 0, 1, 2):
            raise ArgumentError(where, "verbose", got=repr(verbose), expected='"auto", 0, 1 or 2')
        if verbose == "auto":
            verbose = 1 if sys.stdout.isatty() else 2
        own = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        bar = [ProgbarLogger()] if verbose else []
        together = CallbackList([*own, *bar, *([history] if history else [])])
        together.set_params(
            {
                "verbose": int(verbose),
                "epochs": epochs,
                "steps": len(batches),
                "samples": batches.samples,
                "batch_size": batches.batch_size,
                "unit": "images" if batches.x.ndim > 2 else "samples",
            }
        )
        together.set_model(self)
        return together

    def _classes(self, batches: Batches) -> int:
        """How many classes there are: as the targets say, or the output, or the labels."""
        assert batches.y is not None
        if batches.y.ndim > 1 and batches.y.shape[-1] > 1:
            return int(batches.y.shape[-1])
        outputs = (self.output_shape or (None,))[-1] or 1
        return outputs if outputs > 1 else max(2, int(batches.y.max()) + 1)


def _results(logs: dict[str, float], return_dict: bool) -> Any:
    if return_dict:
        return logs
    values = list(logs.values())
    return values if len(values) > 1 else values[0]
