"""The command line, ``python -m tinydl`` or just ``tinydl``.

Every command is a module of `tinydl.cli` with a line of help, its arguments, and a function `run`
that returns the exit status:

======  =======================================================================
status  meaning
======  =======================================================================
0       done
1       done in part: a picture that cannot be read, a loss that diverged, a failed check
2       not done: an argument, a file or an output folder that cannot be used
130     stopped by Ctrl-C
======  =======================================================================
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from tinydl.cli import check, course, explain, info, ops, predict, train
from tinydl.errors import TinydlError

COMMANDS = {
    "train": train,
    "predict": predict,
    "explain": explain,
    "info": info,
    "ops": ops,
    "check": check,
    "course": course,
}


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence, without a page of usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tinydl", description="A small deep-learning framework to read.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(command)
        command.set_defaults(run=module.run, prog=command.prog)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the program's name. By default those it was started with.

    Returns
    -------
    int
        The exit status (see the module's table).

    Examples
    --------
    >>> main(["predict", "nowhere.safetensors", "seven.png"])
    2
    """
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read our output has left (`| head`); keep Python from complaining at exit too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(f"{arguments.prog}: interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else error
        print(f"{arguments.prog}: {reason}", file=sys.stderr)
        return 2
    except TinydlError as error:
        print(f"tinydl: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
