"""A look at a submission before it runs: does it parse, what does it define and import."""

from __future__ import annotations

import ast
from typing import Any


def look(source: str, file: str) -> dict[str, Any]:
    r"""What the text alone tells.

    Returns
    -------
    dict
        Either ``syntax`` (the error: message, line, offset, text), or ``defines`` (names with
        their parameters; None where the name is no function) and ``imports`` (names with lines).

    Examples
    --------
    >>> look("import math\ndef f(x, *, y=1): pass", "assignment.py")["defines"]
    {'f': {'positional': ['x'], 'required': ['x'], 'keyword': ['y'], 'more': False}}
    >>> look("def f(:", "assignment.py")["syntax"]["line"]
    1
    """
    try:
        tree = ast.parse(source, file)
    except SyntaxError as error:
        return {"syntax": _of_syntax_error(error)}
    except (ValueError, RecursionError, MemoryError) as error:
        message = str(error) or f"Python cannot read it: {type(error).__name__}"
        return {"syntax": {"message": message, "line": None, "offset": None, "text": ""}}
    return {"defines": _defined(tree), "imports": _imported(tree)}


def _of_syntax_error(error: SyntaxError) -> dict[str, Any]:
    return {
        "message": str(error.msg)[:300],
        "line": error.lineno,
        "offset": error.offset,
        "text": str(error.text or "").rstrip()[:200],
    }


def _defined(tree: ast.Module) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names[node.name] = _parameters(node.args)
        elif isinstance(node, (ast.ClassDef, ast.AsyncFunctionDef)):
            names[node.name] = None
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update((t.id, None) for t in targets if isinstance(t, ast.Name))
    return names


def _parameters(arguments: ast.arguments) -> dict[str, Any]:
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    return {
        "positional": positional,
        "required": positional[: len(positional) - len(arguments.defaults)],
        "keyword": [a.arg for a in arguments.kwonlyargs],
        "more": arguments.vararg is not None or arguments.kwarg is not None,
    }


def _imported(tree: ast.Module) -> list[list[Any]]:
    """What is imported when the file is graded: it is no program then."""
    found: list[list[Any]] = []
    parts = [node for node in tree.body if not _is_main(node)]
    for node in (inner for part in parts for inner in ast.walk(part)):
        if isinstance(node, ast.Import):
            found += [[alias.name, node.lineno] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append([node.module, node.lineno])
    return found[:200]


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
