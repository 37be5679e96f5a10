"""The picture that ``tinydl train`` leaves: how it learned, what it learned, where it errs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinydl.cli.record import Point
from tinydl.cli.results import Mistake

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

FILTERS_IN_A_ROW = 16


def save_page(
    path: Path,
    curve: Sequence[Point],
    test_accuracy: float,
    filters: np.ndarray,
    mistakes: Sequence[tuple[Mistake, np.ndarray]],
) -> None:
    """Draw learning curves, learned filters and worst mistakes on one page.

    Parameters
    ----------
    path : Path
        The file; its suffix tells the format.
    curve : sequence of Point
        Loss and accuracy along the training.
    test_accuracy : float
        Between 0 and 1; drawn as a line to compare the training accuracy with.
    filters : ndarray, shape (KH, KW, 1, C)
        The kernel of the first convolution.
    mistakes : sequence of (Mistake, ndarray of shape (28, 28))
        The mistakes and their images.

    Raises
    ------
    ImportError
        If Matplotlib is not installed.
    """
    # A figure of its own, not pyplot's, needs no screen and leaves no state behind.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7.5), layout="constrained")
    parts = figure.subfigures(3, 1, squeeze=False, height_ratios=[3, 1.7, 2.2])
    top, middle, bottom = parts[:, 0]
    _draw_curves(top, curve, test_accuracy)
    _draw_filters(middle, filters)
    _draw_mistakes(bottom, mistakes)
    figure.savefig(path, dpi=100)


def _draw_curves(part: SubFigure, curve: Sequence[Point], test_accuracy: float) -> None:
    from matplotlib.ticker import LogLocator

    loss, accuracy = part.subplots(1, 2)
    epochs = [point.epochs for point in curve]
    loss.semilogy(epochs, [point.loss for point in curve], marker=".")
    loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    loss.yaxis.set_major_formatter("{x:g}")
    loss.minorticks_off()
    loss.set(xlabel="epochs", title="training loss")
    accuracy.plot(epochs, [point.accuracy for point in curve], marker=".", label="training")
    accuracy.axhline(test_accuracy, color="C1", label=f"test: {test_accuracy:.4f}")
    accuracy.set(xlabel="epochs", title="accuracy", ylim=(min(0.9, test_accuracy - 0.05), 1))
    accuracy.legend(loc="lower right")
    for axes in (loss, accuracy):
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)


def _draw_filters(part: SubFigure, filters: np.ndarray) -> None:
    count = filters.shape[-1]
    part.suptitle(f"the {count} learned filters (red adds, blue takes away)")
    rows = -(-count // FILTERS_IN_A_ROW)
    # The same colour means the same weight in all of them; the few largest would pale the rest.
    scale = float(np.percentile(np.abs(filters), 98))
    for number, axes in enumerate(part.subplots(rows, FILTERS_IN_A_ROW).flat):
        axes.axis("off")
        if number < count:
            axes.imshow(filters[:, :, 0, number], cmap="RdBu_r", vmin=-scale, vmax=scale)


def _draw_mistakes(part: SubFigure, mistakes: Sequence[tuple[Mistake, np.ndarray]]) -> None:
    part.suptitle("the worst mistakes" if mistakes else "no mistakes")
    for number, (mistake, image) in enumerate(mistakes, start=1):
        axes: Axes = part.add_subplot(1, len(mistakes), number)
        axes.imshow(image, cmap="gray_r")
        axes.axis("off")
        axes.set_title(
            f"no. {mistake.number}: a {mistake.label},\n"
            f"taken for {mistake.predicted} ({mistake.probability:.1%})",
            fontsize="small",
        )
