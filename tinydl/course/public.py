"""The part of ``properties.py`` that a student may have.

It is cut out of the text: the public properties and whatever they use, down to the imports. The
bodies of references (`tinydl.course.references`) and the typical mistakes stay behind.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterable, Sequence

from tinydl.course.names import names_defined, names_used

HEADING = '"""The public properties: what `tinydl course check` tries."""'


def public_part(source: str, wanted: Iterable[str], references: Collection[str]) -> str:
    r"""The text that defines some names, and what they need.

    Parameters
    ----------
    source : str
        The text of ``properties.py``.
    wanted : iterable of str
        The names to keep: the assignment, and the functions of its public properties.
    references : collection of str
        Functions of which only the first line is kept.

    Examples
    --------
    >>> source = "import os\ndef f():\n    return g()\ndef g():\n    return 1\ndef h(): pass"
    >>> print(public_part(source, ["f"], ["g"]).split("\n\n", 1)[1])
    def f():
        return g()
    <BLANKLINE>
    <BLANKLINE>
    def g():
        ...
    <BLANKLINE>
    """
    statements = ast.parse(source).body
    kept = _needed(statements, wanted, references)
    lines = source.splitlines()
    chosen = [s for s in statements if kept & set(names_defined(s))]
    text = HEADING
    for before, statement in zip([None, *chosen], chosen, strict=False):
        text += _space(before, statement) + _text(statement, lines, references)
    return text + "\n"


def _space(before: ast.stmt | None, statement: ast.stmt) -> str:
    """Two empty lines around functions and classes, none within a block of other statements."""
    blocks = (ast.FunctionDef, ast.ClassDef)
    if before is None:
        return "\n\n"
    return "\n\n\n" if isinstance(before, blocks) or isinstance(statement, blocks) else "\n"


def _needed(
    statements: Sequence[ast.stmt], wanted: Iterable[str], references: Collection[str]
) -> set[str]:
    """The wanted names, the names these use, and so on."""
    uses: dict[str, set[str]] = {}
    for statement in statements:
        for name in names_defined(statement):
            text = ast.unparse(_public_form(statement, references))
            uses.setdefault(name, set()).update(names_used(text))
    needed: set[str] = set()
    rest = list(wanted)
    while rest:
        name = rest.pop()
        if name in uses and name not in needed:
            needed.add(name)
            rest += uses[name]
    return needed


def _public_form(statement: ast.stmt, references: Collection[str]) -> ast.stmt:
    """The statement without the typical mistakes, and a reference without its body."""
    if not isinstance(statement, ast.FunctionDef):
        return statement
    form = copy.deepcopy(statement)
    for node in form.decorator_list:
        if isinstance(node, ast.Call):
            node.keywords = [k for k in node.keywords if k.arg != "likely"]
    if form.name in references:
        form.body = [ast.Expr(ast.Constant(...))]
    return form


def _text(statement: ast.stmt, lines: Sequence[str], references: Collection[str]) -> str:
    """The statement's own lines, comments and all, as far as they are public."""
    if not isinstance(statement, ast.FunctionDef):
        return "\n".join(lines[statement.lineno - 1 : statement.end_lineno])
    form = _public_form(statement, references)
    assert isinstance(form, ast.FunctionDef)
    if form.name in references:
        return ast.unparse(form)
    decorators = [f"@{ast.unparse(node)}" for node in form.decorator_list]
    return "\n".join([*decorators, *lines[statement.lineno - 1 : statement.end_lineno]])
