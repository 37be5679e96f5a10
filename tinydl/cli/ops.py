"""``tinydl ops``: the page of all ops, in Markdown, written from the ops themselves."""

from __future__ import annotations

import argparse
import difflib
import inspect
from collections.abc import Iterable

from tinydl import ops
from tinydl.engine import Op
from tinydl.errors import ArgumentError

HELP = "print every op, or those named, with its formula and its gradients, in Markdown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which ops."""
    parser.add_argument("ops", nargs="*", metavar="OP", help="names of ops; all by default")


def run(arguments: argparse.Namespace) -> int:
    """Print the page."""
    check_names("ops", arguments.ops)
    print("# Ops\n")
    print("Written by `python -m tinydl ops`. A bar marks the gradient of the loss.")
    for name in arguments.ops or sorted(Op.registry):
        print("\n" + section(Op.registry[name]))
    return 0


def check_names(where: str, names: Iterable[str]) -> None:
    """Raise `ArgumentError` if there is no op of one of these names; tell the closest name."""
    for name in names:
        if name not in Op.registry:
            close = difflib.get_close_matches(name.lower(), Op.registry, n=1)
            raise ArgumentError(
                where,
                "OP",
                got=repr(name),
                expected="the name of an op (tinydl ops lists them)",
                hint=f"did you mean {close[0]!r}?" if close else "",
            )


def section(op: type[Op]) -> str:
    r"""One op in Markdown.

    Examples
    --------
    >>> print(section(Op.registry["exp"]))
    ## `exp(x)`
    <BLANKLINE>
    The exponential.
    <BLANKLINE>
    $$y_i = e^{x_i}$$
    <BLANKLINE>
    - gradient of `x`: $\bar x_i = \bar y_i y_i$
    """
    signature = inspect.signature(getattr(ops, op.name))
    first_paragraph = (inspect.getdoc(op) or "").split("\n\n")[0]
    parts = [f"## `{op.name}{signature}`", first_paragraph, f"$${op.formula}$$"]
    facts = [
        f"- gradient of `{name}`: ${rule.formula}$"  # type: ignore[attr-defined]  # see `rule`
        for name, rule in zip(op.input_names, op.rules, strict=True)
        if rule is not None
    ]
    if op.domain[0] > -float("inf") or op.domain[1] < float("inf"):
        facts.append(f"- defined from {op.domain[0]:g} to {op.domain[1]:g}")
    if op.kinks:
        facts.append(f"- not differentiable at {op.kinks}")
    return "\n\n".join([*parts, *(["\n".join(facts)] if facts else [])])
