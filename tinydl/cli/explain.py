"""``tinydl explain``: a training step, page by page, in the terminal and as an HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from tinydl.errors import ArgumentError

HELP = "show the mathematics of one training step, with its numbers, page by page"
MNIST_PAGE = Path("tinydl-explain.html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which story, and where it is shown."""
    parser.add_argument(
        "story",
        nargs="?",
        metavar="STORY",
        help="mse, cross-entropy, gradient-descent, adam, landscape, backprop, conv, maxpool,"
        f" softmax, mnist, or a program of yours, step.py; by default mnist, as {MNIST_PAGE}",
    )
    parser.add_argument("--step", type=int, metavar="N", help="print only this page")
    parser.add_argument("--element", metavar="I,J", help="which element it shows with numbers")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page for the browser")
    parser.add_argument(
        "--interactive", action="store_true", help="turn the pages in the terminal by letters"
    )


def run(arguments: argparse.Namespace) -> int:
    """Tell the story.

    Parameters
    ----------
    arguments : argparse.Namespace
        See `add_arguments`.

    Returns
    -------
    int
        0.

    Raises
    ------
    ArgumentError
        If there is no such story, step or element.
    OSError
        If the program cannot be read or the file not be written.
    """
    from tinydl.explain import ready_made, run_script
    from tinydl.explain.terminal import read_along

    if arguments.element is not None and arguments.step is None:
        raise ArgumentError("explain", "--element", got="no --step", expected="both")
    element = _index(arguments.element)
    name = arguments.story or "mnist"
    story = run_script(name) if name.endswith(".py") else ready_made(name)
    html = arguments.html
    if arguments.story is None and arguments.step is None and not arguments.interactive:
        html = html or MNIST_PAGE
    if html:
        story.to_html(html)
        print(f"{len(story)} pages are in {html.resolve()}; open it in a browser.")
    if arguments.interactive:
        read_along(story, first=arguments.step or 1)
    elif not html or arguments.step is not None:
        story.print(arguments.step, element)
    return 0


def _index(text: str | None) -> tuple[int, ...] | None:
    from tinydl.explain.terminal import index_of

    try:
        return None if text is None else index_of(text)
    except ValueError:
        raise ArgumentError(
            "explain", "--element", got=repr(text), expected="whole numbers: 0,2"
        ) from None
