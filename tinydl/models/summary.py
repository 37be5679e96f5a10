"""A model as a table."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from tinydl.models.model import Model


def print_summary(
    model: Model, line_length: int | None = None, print_fn: Callable[[str], Any] | None = None
) -> None:
    """Print the layers of a model, their output shapes and how many weights they have.

    Parameters
    ----------
    model : Model
        A layer without weights yet has "?" in place of what is not known.
    line_length : int, optional
        The width of the table.
    print_fn : callable, optional
        Gets the table as text, instead of the terminal.

    Examples
    --------
    >>> from tinydl.layers import Dense, Input
    >>> from tinydl.models import Sequential
    >>> model = Sequential([Input((4,)), Dense(3, name="hidden"), Dense(1, name="out")], name="mlp")
    >>> print_summary(model, print_fn=print)
    Model: mlp
    <BLANKLINE>
     Layer (type)     Output shape   Parameters
    ────────────────────────────────────────────
     hidden (Dense)   (None, 3)              15
     out (Dense)      (None, 1)               4
    <BLANKLINE>
    19 parameters (76 bytes): 19 trainable, 0 not
    """
    from rich.console import Console

    file = None if print_fn is None else io.StringIO()
    width = line_length or (None if print_fn is None else 100)
    console = Console(file=file, width=width, highlight=False)
    console.print(f"Model: {model.name}\n", markup=False)
    console.print(_table(model))
    console.print(f"\n{_totals(model)}")
    if print_fn is not None and file is not None:
        lines = (line.rstrip() for line in file.getvalue().splitlines())
        print_fn("\n".join(lines))


def _table(model: Model) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("Layer (type)")
    table.add_column("Output shape")
    table.add_column("Parameters", justify="right")
    for layer in model.layers:
        known = layer.built
        table.add_row(
            Text(f"{layer.name} ({type(layer).__name__})"),
            Text(str(layer.output_shape) if known else "?"),
            f"{layer.count_params():,}" if known else "?",
        )
    return table


def _totals(model: Model) -> str:
    if not model.built:
        return "not built: the input shape is not known yet"
    trainable = sum(w.size for w in model.trainable_weights)
    fixed = sum(w.size for w in model.non_trainable_weights)
    size = sum(w.data.nbytes for w in model.weights)
    return (
        f"{trainable + fixed:,} parameters ({_bytes(size)}): {trainable:,} trainable, {fixed:,} not"
    )


def _bytes(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
