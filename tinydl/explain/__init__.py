"""Read the math of a training step page by page.

>>> from tinydl import explain, tensor
>>> a = tensor(1.0, requires_grad=True)
>>> with explain.record() as story:
...     b = a + a
...     b.backward()
>>> len(story)
2

- `record` watches what is computed, passed back and changed, and makes a `Story` of it, a list of
  steps; `tinydl.explain.page` says what stands on the page of a step;
- `ready_made` tells one of the stories that come with the package, `run_script` that of a program;
- `formula` gives the formula of an op, layer, loss, optimizer, model, ...: LaTeX, text, MathML,
  source;
- `landscape` draws the loss around the weights, and the paths that optimizers take in it.
"""

from tinydl.explain import notebook
from tinydl.explain.formulas import Formula, formula
from tinydl.explain.landscapes import Descent, Landscape, landscape
from tinydl.explain.page import (
    Difference,
    ElementView,
    GradientPath,
    GradientView,
    Part,
    Ref,
    Source,
    Step,
    Term,
    UpdateView,
    Value,
)
from tinydl.explain.script import run_script
from tinydl.explain.stories import STORIES, ready_made
from tinydl.explain.story import Story
from tinydl.explain.watching import record

__all__ = [
    "STORIES",
    "Descent",
    "Difference",
    "ElementView",
    "Formula",
    "GradientPath",
    "GradientView",
    "Landscape",
    "Part",
    "Ref",
    "Source",
    "Step",
    "Story",
    "Term",
    "UpdateView",
    "Value",
    "formula",
    "landscape",
    "ready_made",
    "record",
    "run_script",
]

notebook.install()
