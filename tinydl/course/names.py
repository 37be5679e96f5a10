"""Which names a piece of Python gives to its surroundings, and which it takes from them."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator


def names_used(source: str) -> set[str]:
    r"""The names that some statements use, and that are not local to a function in them.

    Examples
    --------
    >>> sorted(names_used("def f(x):\n    y = x\n    return [g(y, n) for n in range(3)]"))
    ['g', 'range']
    """
    names: set[str] = set()
    tables = [symtable.symtable(source, "source", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        outermost = table.get_type() == "module"
        names |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (outermost or symbol.is_global())
        }
    return names


def names_defined(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top level gives something to."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            for node in ast.walk(target):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id
