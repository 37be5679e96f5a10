"""Formulas in MathML, which browsers show as a textbook would; made by latex2mathml, and checked.

The converter never complains: what it does not know it shows as it stands. So its result is read
again here, and what a reader should not see is an error.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from tinydl.errors import ArgumentError
from tinydl.explain.latex import parse

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
CHILDREN = {
    **dict.fromkeys(("mfrac", "msub", "msup", "munder", "mover", "mroot"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
ELEMENTS = frozenset(CHILDREN) | {
    *(
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "mtext",
        "mspace",
        "msqrt",
        "mtable",
        "mtr",
        "mtd",
        "mstyle",
    ),
}
WORDS = re.compile(r"\\(?:text|textrm|mbox)\{[^{}]*\}")  # the converter does not escape them
NAME = re.compile(r"<mo>(?!mod<)([A-Za-z]{2,})</mo>(?=(<mo[^>]*>(?:\(|&#x00028;))?)")
RAW = re.compile(r"[\\&$^_{}]|^(?:begin|end|frac|text)$")


@lru_cache(maxsize=4096)
def mathml(latex: str, display: bool = True) -> str:
    r"""The formula as a ``<math>`` element.

    Parameters
    ----------
    latex : str
    display : bool
        Whether it stands in a line of its own, with its limits above and below, or among words.

    Raises
    ------
    ArgumentError
        Where the LaTeX is not of the kind `tinydl.explain.latex` reads, or the result is no clean
        MathML.

    Examples
    --------
    >>> mathml("x_i", display=False)[-53:]
    '<mrow><msub><mi>x</mi><mi>i</mi></msub></mrow></math>'
    """
    from latex2mathml.converter import convert

    parse(latex)
    prepared = WORDS.sub(lambda match: escape(match[0], quote=False), _with_arrays(latex))
    markup: str = convert(prepared, display="block" if display else "inline")
    markup = _adapted(markup)
    if r"\begin{align" in latex:  # no small print, unlike a table's
        markup = markup.replace("<mtable>", '<mtable displaystyle="true">')
    complaints = lint(markup)
    if complaints:
        raise ArgumentError("formula", "MathML", got="; ".join(complaints), expected="clean MathML")
    return markup


def lint(markup: str) -> list[str]:
    r"""What is wrong with a piece of MathML; an empty list if nothing is.

    It must be well-formed, of MathML's own elements, without an error box; each fraction has two
    parts, each script its base, each row of a table as many cells as the others; and nothing that
    is shown may be LaTeX.

    Examples
    --------
    >>> lint(r"<math><mi>\foo</mi></math>")
    ["shows '\\\\foo'"]
    """
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(markup)
    except ElementTree.ParseError as error:
        return [f"not well-formed: {error}"]
    return [complaint for element in root.iter() for complaint in _complaints(element)]


def _complaints(element: Element) -> list[str]:
    tag = element.tag.removeprefix(NAMESPACE)
    shown = element.text or ""
    found = []
    if tag not in ELEMENTS:
        found.append("an error box" if tag == "merror" else f"<{tag}> is no formula")
    if tag in CHILDREN and len(element) != CHILDREN[tag]:
        found.append(f"<{tag}> has {len(element)} parts instead of {CHILDREN[tag]}")
    if tag == "mtable" and len({len(row) for row in element}) > 1:
        found.append("rows of a table differ in length")
    # Braces and hats may be signs of their own.
    allowed = {"mo": "{}^", "mtext": "_"}.get(tag, "")
    if RAW.search(shown.translate(dict.fromkeys(map(ord, allowed)))):
        found.append(f"shows {shown!r}")
    return found


def _adapted(markup: str) -> str:
    """Alignment as browsers know it, and names of functions as close to arguments as in TeX."""
    markup = markup.replace('columnalign="left"', 'style="text-align: left"')
    markup = markup.replace('columnalign="right"', 'style="text-align: right"')
    return NAME.sub(
        lambda match: (
            f'<mo lspace="0.167em" rspace="{"0" if match[2] else "0.167em"}">{match[1]}</mo>'
        ),
        markup,
    )


def _with_arrays(latex: str) -> str:
    """Aligned formulas as a table of two columns: the converter shows ``aligned`` broken."""
    latex = re.sub(r"\\begin\{align(ed)?\*?\}", r"\\begin{array}{rl}", latex)
    return re.sub(r"\\end\{align(ed)?\*?\}", r"\\end{array}", latex)
