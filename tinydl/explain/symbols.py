"""The commands of LaTeX that formulas use, and the characters they stand for."""

from __future__ import annotations


def _table(pairs: str) -> dict[str, str]:
    words = pairs.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


GREEK = _table(
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ iota ι kappa κ"
    " lambda λ mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ phi φ varphi φ chi χ psi ψ omega ω"
    " Gamma Γ Delta Δ Theta Θ Lambda Λ Sigma Σ Phi Φ Psi Ψ Omega Ω"
)
LETTERS = GREEK | _table(
    "ell ℓ infty ∞ partial ∂ nabla ∇ top ᵀ prime ′ dots … cdots … ldots … forall ∀"
)
RELATIONS = _table(
    "= = < < > > le ≤ leq ≤ ge ≥ geq ≥ ne ≠ neq ≠ approx ≈ equiv ≡ propto ∝ sim ∼ in ∈ mid |"
    " leftarrow ← gets ← rightarrow → to → mapsto ↦"
)
LOGIC = _table("wedge ∧ vee ∨ oplus ⊕ land ∧ lor ∨")
SIGNS = _table("+ + - - pm ±")
TIMES = _table("cdot · times × * ∗ ast ∗ star ⋆ odot ⊙ circ ∘ otimes ⊗ bmod mod setminus ∖")
BIG = _table("sum Σ prod ∏ int ∫ bigwedge ⋀ bigvee ⋁")
DELIMITERS = _table(
    "lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ langle ⟨ rangle ⟩ | ‖ { { } } lvert | rvert | vert |"
    " lVert ‖ rVert ‖ Vert ‖"
)
BRACKETS = _table("( ) [ ] { } ⌊ ⌋ ⌈ ⌉ ⟨ ⟩ | | ‖ ‖")
ACCENTS = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303", "dot": "\u0307"}
FUNCTIONS = _set("ln log exp sin cos tan sinh cosh tanh arcsin arccos arctan min max sup inf arg")
ALPHABETS = _set("mathcal mathbb mathrm mathbf mathit operatorname boldsymbol")
SIZES = _set("left right big Big bigg Bigg bigl bigr Bigl Bigr displaystyle textstyle limits")
SPACES = frozenset(",;:! ")
