"""What the terminal shows at the end of a training: classes as a table, mistakes as drawings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinydl.cli.digits import draw
from tinydl.cli.results import ClassScore, Mistake


def print_classes(scores: Sequence[ClassScore]) -> None:
    """Print precision, recall, F1 and support, a line for each class.

    Examples
    --------
    >>> print_classes([ClassScore(1.0, 0.6667, 0.8, 3), ClassScore(0.5, 1.0, 0.6667, 1)])
    digit  precision  recall      F1  support
        0     1.0000  0.6667  0.8000        3
        1     0.5000  1.0000  0.6667        1
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("digit", "precision", "recall", "F1", "support"):
        table.add_column(heading, justify="right")
    for digit, score in enumerate(scores):
        rates = (f"{rate:.4f}" for rate in (score.precision, score.recall, score.f1))
        table.add_row(str(digit), *rates, str(score.support))
    Console(highlight=False).print(table)


def print_mistakes(mistakes: Sequence[tuple[Mistake, np.ndarray]]) -> None:
    """Print and draw mistakes, as many side by side as there is room for.

    Parameters
    ----------
    mistakes : sequence of (Mistake, ndarray of shape (28, 28))
        The mistakes and their images, which only a terminal with Unicode can show.
    """
    from rich.columns import Columns
    from rich.console import Console

    console = Console(highlight=False)
    panels = []
    for mistake, image in mistakes:
        lines = [
            f"no. {mistake.number}",
            f"a {mistake.label}, seen as {mistake.predicted}",
            f"({mistake.probability:.1%})",
        ]
        if not console.options.ascii_only:
            lines += draw(image)
        panels.append("\n".join(lines))
    print("\nThe worst mistakes:" if mistakes else "\nNo mistakes.")
    console.print(Columns(panels, padding=(0, 2)))
