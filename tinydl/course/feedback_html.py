"""The feedback on a submission as a page for the browser: one file, which needs no network."""

from __future__ import annotations

import re
from html import escape
from importlib import resources

from tinydl.course.feedback import Feedback, details, example_of, is_formula, kind_of, where
from tinydl.course.grades import CounterExample, PropertyResult
from tinydl.explain.mathml import mathml


def html(feedback: Feedback) -> str:
    """The whole page.

    Parameters
    ----------
    feedback : Feedback

    Returns
    -------
    str
    """
    styles = resources.files("tinydl.course") / "assets" / "feedback.css"
    body = "\n".join([*_head(feedback), _table(feedback), *_rest(feedback)])
    return PAGE.format(
        title=escape(feedback.heading), styles=styles.read_text(encoding="utf-8"), body=body
    )


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{styles}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _head(feedback: Feedback) -> list[str]:
    grade = feedback.grade
    student = f'<p class="student">{escape(feedback.student)}</p>' if feedback.student else ""
    parts = [
        f"<header>{student}<h1>{escape(feedback.title)}</h1>",
        f'<p class="points">{escape(feedback.points)}</p></header>',
    ]
    if feedback.verdict:
        parts.append(f'<p class="verdict">{escape(feedback.verdict)}</p>')
    if grade.message:
        parts.append(_block(grade.message))
    if grade.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in grade.notes)
        parts.append(f"<ul>{notes}</ul>")
    return parts


def _table(feedback: Feedback) -> str:
    failed = feedback.failed
    results = enumerate(feedback.grade.properties)
    rows = [_row(number, result, linked=result in failed) for number, result in results]
    return '<div class="wide"><table>\n<tbody>\n{}\n</tbody>\n</table></div>'.format(
        "\n".join(rows)
    )


def _row(number: int, result: PropertyResult, linked: bool) -> str:
    mark, meaning = ("✓", "holds") if result.passed else ("✗", "does not hold")
    name = escape(result.name)
    if linked:
        name = f'<a href="#property-{number}">{name}</a>'
    return (
        f'<tr class="{"passed" if result.passed else "failed"}">'
        f'<td><span role="img" aria-label="{meaning}">{mark}</span></td>'
        f'<th scope="row">{name} <small>{kind_of(result)}</small></th>'
        f"<td>{round(result.earned, 2):g}&#8239;/&#8239;{result.points:g}</td></tr>"
    )


def _rest(feedback: Feedback) -> list[str]:
    grade = feedback.grade
    parts = [
        _section(number, result, grade.seed)
        for number, result in enumerate(grade.properties)
        if result in feedback.failed
    ]
    title, address = feedback.lesson
    if title and grade.earned < grade.points:
        link = f'<a href="{escape(address)}">{escape(title)}</a>' if address else escape(title)
        parts.append(f"<p>To read: {link}</p>")
    if grade.output.strip():
        parts.append(f"<h2>What your program printed</h2>{_block(grade.output.strip())}")
    parts.append(f"<footer>Seed {grade.seed}: the same submission gets the same grade.</footer>")
    return parts


def _section(number: int, result: PropertyResult, seed: int) -> str:
    parts = [f'<section id="property-{number}"><h2>{escape(result.name)}</h2>']
    parts += [f"<p>{_sentence(sentence)}</p>" for sentence in details(result)]
    if result.formula:
        parts.append(_formula(result.formula))
    example = example_of(result)
    if example is not None:
        parts.append(_example(example))
        parts.append(f'<p class="where">{escape(where(example, seed))}</p>')
    return "\n".join([*parts, "</section>"])


def _sentence(text: str) -> str:
    """A sentence; what stands in backticks as code, and the likely mistake so that it is seen."""
    shown = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\A(Likely mistake:)", r"<strong>\1</strong>", shown)


def _example(example: CounterExample) -> str:
    entries = [(f"{name} =", value) for name, value in example.arguments]
    if example.expected:
        entries += [("your answer", example.got), ("right", example.expected)]
    items = "".join(f"<dt>{escape(n)}</dt><dd>{_block(v)}</dd>" for n, v in entries)
    call = f"<p><code>{escape(example.call)}</code> with</p>" if example.call else ""
    numbers = _formula(example.numbers) if example.numbers else ""
    return f"{call}<dl>{items}</dl>{numbers}"


def _formula(latex: str) -> str:
    """As MathML where it is a formula, else as text."""
    shown = mathml(latex) if is_formula(latex) else f"<code>{escape(latex)}</code>"
    return f'<div class="formula">{shown}</div>'


def _block(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"
