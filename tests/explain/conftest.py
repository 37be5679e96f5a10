"""A reader who redoes the numbers: evaluates the LaTeX that stands on the pages."""

import cmath
import math
import re

import numpy as np
import pytest

NAMES = {
    "sqrt": np.sqrt,
    "exp": np.exp,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "max": lambda *v: math.nan if np.isnan(v).any() else max(v),
    "min": lambda *v: math.nan if np.isnan(v).any() else min(v),
    "floor": np.floor,
    "ceil": np.ceil,
    "abs": abs,
    "truth": float,
    "arg": cmath.phase,
    "erf": math.erf,
    "erfc": math.erfc,
    "sign": np.sign,
    "int": int,
    "round": np.round,
    "arsinh": np.arcsinh,
    "arcosh": np.arccosh,
    "artanh": np.arctanh,
    "argmax": lambda *v: int(np.argmax(v)),
    "argmin": lambda *v: int(np.argmin(v)),
    **{n: getattr(np, n) for n in ("sin", "cos", "tan", "tanh", "arcsin", "arccos", "arctan")},
    "sinh": np.sinh,
    "cosh": np.cosh,
    "sigma": lambda x: 1 / (1 + np.exp(-x)),
    "Phi": lambda x: (1 + math.erf(x / math.sqrt(2))) / 2,
    "density": lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "pi": math.pi,
    "inf": math.inf,
    "nan": math.nan,
}
WORDS = {
    r"\left\lfloor": " floor(",
    r"\left\lceil": " ceil(",
    r"\left|": " abs(",
    r"\left[": " truth(",
    r"\left(": "(",
    r"\right\rfloor": ")",
    r"\right\rceil": ")",
    r"\right|": ")",
    r"\right]": ")",
    r"\right)": ")",
    r"\cdot": "*",
    r"\log_{10}": " log10",
    r"\log_2": " log2",
    r"\infty": " inf",
    r"\text{nan}": " nan",
    r"\mathrm{i}": "1j",
    r"\ne": "!=",
    r"\ge": ">=",
    r"\le ": "<= ",
    r"\wedge": " and ",
    r"\vee": " or ",
    r"\oplus": "^",
    r"\text{ or }": " or ",
    r"\Phi'": " density",
}


@pytest.fixture(scope="session")
def value_of():
    """The number that a piece of LaTeX means; a second argument gives letters their values."""
    return evaluate


def evaluate(latex, symbols=None):
    text, names = latex, dict(NAMES)
    for i, (symbol, value) in enumerate((symbols or {}).items()):
        names[f"Z{i}"] = value
        text = re.sub(rf"(?<![A-Za-z\\]){re.escape(symbol)}(?![A-Za-z(])", f" Z{i} ", text)
    for word, python in WORDS.items():
        text = text.replace(word, python)
    text = re.sub(r"\\operatorname\{(\w+)\}", r" \1", text)
    for begin, python in ((r"\frac", "(({})/({}))"), (r"\sqrt", " sqrt({})"), ("^", "**({})")):
        text = _without_braces(text, begin, python)
    text = re.sub(r"(?<![\w.])e\*\*\(", " exp(", text)
    text = re.sub(r"(?<=[^=<>!])=(?=[^=])", "==", text).replace("\\", "")
    with np.errstate(all="ignore"):
        return complex(eval(text, {"__builtins__": {}}, names)).real


def _without_braces(text, begin, python):
    while begin + "{" in text:
        start = text.index(begin + "{")
        end = start + len(begin)
        groups = []
        for _ in range(python.count("{}")):
            group, end = _group(text, end)
            groups.append(group)
        text = text[:start] + python.format(*groups) + text[end:]
    return text


def _group(text, start):
    """What is inside of the braces that begin here, and where they end."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return text[start + 1 : i], i + 1
    raise ValueError(text)
