"""Which names a piece of Python takes from its surroundings."""

from __future__ import annotations

import symtable


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
