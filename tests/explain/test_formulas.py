"""Everything that has a formula says it in LaTeX, as text and in MathML, with its source."""

import pytest

import tinydl
from tinydl import activations, initializers, layers, losses, metrics, ops, optimizers, regularizers
from tinydl.callbacks import LearningRateScheduler, ReduceLROnPlateau
from tinydl.engine import Op
from tinydl.errors import ArgumentError
from tinydl.explain.formulas import Formula, formula, source_of
from tinydl.explain.mathml import lint

KINDS = (layers, losses, optimizers, initializers, metrics, regularizers)
CLASSES = [entry for module in KINDS for entry in module._registry]
CLASSES += [LearningRateScheduler, ReduceLROnPlateau]


def check(shown):
    """A formula that can be read in every medium."""
    assert "\\" not in shown.unicode
    assert "{" not in shown.unicode.replace("{ ", "").replace("{i", "")  # cases; sets
    assert str(shown) == shown.unicode != ""
    assert lint(shown.mathml) == []
    assert "<math" in shown._repr_html_()


@pytest.mark.parametrize("name", sorted(Op.registry))
def test_every_op(name):
    shown = formula(name)
    check(shown)
    op = Op.registry[name]
    differentiable = {
        name.lstrip("*") for name, rule in zip(op.input_names, op.rules, strict=True) if rule
    }
    assert set(shown.gradients) == differentiable
    for gradient in shown.gradients.values():
        check(gradient)
        assert gradient.latex.startswith(r"\bar ")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_kind_has_a_formula_and_a_source(kind):
    shown = formula(kind)
    check(shown)
    assert any(year in shown.source for year in ("19", "20", "arXiv"))


@pytest.mark.parametrize("activation", list(activations._registry), ids=lambda f: f.__name__)
def test_every_activation(activation):
    check(formula(activation))
    check(formula(layers.Dense(2, activation=activation)))


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (layers.Dense(2), "y_no = (Σ_c x_nc·w_co) + b_o"),
        (layers.Dense(2, "relu"), "y_no = relu((Σ_c x_nc·w_co) + b_o)"),
        (layers.Dense(2, "softmax", use_bias=False), "y_no = softmax_o(Σ_c x_nc·w_co)"),
        (layers.Dense(2, lambda x: x), "y_no = f((Σ_c x_nc·w_co) + b_o)"),
        (layers.Activation("relu"), "y_i = max(x_i, 0)"),
        (losses.MeanSquaredError(), "L = (1/n)·Σ_(i=1)^n ℓ_i,  ℓ_i = (1/K)·Σ_k (y_ik - t_ik)²"),
        (losses.MeanSquaredError("none"), "ℓ_i = (1/K)·Σ_k (y_ik - t_ik)²"),
        (losses.BinaryCrossentropy, "ℓ_i = -(1/K)·Σ_k (t_ik·ln(y_ik) + (1 - t_ik)·ln(1 - y_ik))"),
        (
            losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum"),
            "L = Σ_(i=1)^n ℓ_i,  ℓ_i = -ln(y_(i, t_i)),  y_i = softmax(z_i)",
        ),
        (optimizers.SGD(momentum=0.9), "v_i ← μ·v_i - η·g_i,  w_i ← w_i + v_i"),
        (optimizers.SGD(weight_decay=0.1), "w_i ← w_i - η·λ·w_i,  w_i ← w_i - η·g_i"),
        (optimizers.SGD(clipnorm=1.0), "g_i ← min(1, c/‖g‖)·g_i,  w_i ← w_i - η·g_i"),
        (optimizers.SGD(global_clipnorm=1.0), "g_i ← min(1, c/‖G‖)·g_i,  w_i ← w_i - η·g_i"),
        (optimizers.SGD(clipvalue=1.0), "g_i ← min(max(g_i, -c), c),  w_i ← w_i - η·g_i"),
        (ops.relu, "y_i = max(x_i, 0)"),
        (ops.relu(tinydl.tensor(1.0, requires_grad=True)), "y_i = max(x_i, 0)"),
        ("softmax", "y_i = e^(x_i)/(Σ_j e^(x_j))"),
        (metrics.Precision, "M = TP/(TP+FP)"),
        ("MaxPooling2D", "y_nijc = max_(p, q)(x_(n, s·i+p-t, s·j+q-l, c))"),
    ],
    ids=str,
)  # fmt: skip
def test_settings_change_the_formula(x, text):
    assert str(formula(x)) == text


@pytest.mark.parametrize("amsgrad", [False, True])
def test_adamw_decays_once(amsgrad):
    shown = formula(optimizers.AdamW(amsgrad=amsgrad)).unicode
    assert shown.count("λ") == 1
    assert ("v̂" in shown) == amsgrad


@pytest.mark.parametrize("x", [3, "rely", tinydl.tensor(1.0), object(), print])
def test_what_has_no_formula_is_refused(x):
    with pytest.raises(ArgumentError, match="formula"):
        formula(x)


def test_a_source_stands_with_the_class_or_its_module():
    assert "arXiv:1412.6980" in source_of(optimizers.Adam())
    assert "1603.07285" in source_of(Op.registry["conv"])
    assert source_of(Op.registry["add"]) == ""


def test_html_is_escaped():
    html = Formula(
        "x", "x_i", "<b>Me</b>, *A title*, 2020.", {"<i>": Formula("", "y")}
    )._repr_html_()
    assert "<b>" not in html
    assert "<i>" not in html
    assert "<em>A title</em>" in html
