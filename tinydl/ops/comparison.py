"""Comparisons: true or false for each pair of elements. They have no gradient."""

from __future__ import annotations

from tinydl.engine import Op


class Comparison(Op, abstract=True):
    """True or false for each pair of elements; the shapes broadcast, no gradient flows."""

    input_names = ("x1", "x2")
    broadcasts = True


class Less(Comparison):
    """Where the first is smaller."""

    formula = r"y_i = [a_i < b_i]"
    methods = ("__lt__",)

    def forward(self, x1, x2):
        return x1 < x2


class LessEqual(Comparison):
    """Where the first is smaller or equal."""

    formula = r"y_i = [a_i \le b_i]"
    methods = ("__le__",)

    def forward(self, x1, x2):
        return x1 <= x2


class Greater(Comparison):
    """Where the first is larger."""

    formula = r"y_i = [a_i > b_i]"
    methods = ("__gt__",)

    def forward(self, x1, x2):
        return x1 > x2


class GreaterEqual(Comparison):
    """Where the first is larger or equal."""

    formula = r"y_i = [a_i \ge b_i]"
    methods = ("__ge__",)

    def forward(self, x1, x2):
        return x1 >= x2


class Equal(Comparison):
    """Where both are equal; nan equals nothing."""

    formula = r"y_i = [a_i = b_i]"
    methods = ("__eq__",)

    def forward(self, x1, x2):
        return x1 == x2


class NotEqual(Comparison):
    """Where the two differ."""

    formula = r"y_i = [a_i \ne b_i]"
    methods = ("__ne__",)

    def forward(self, x1, x2):
        return x1 != x2
