"""What Python's and NumPy's own error messages usually mean in an assignment."""

from __future__ import annotations

import re

MEANINGS = {
    r"truth value of an array": "`if`, `and`, `or`, and Python's `max` and `min` decide about one "
    "number, and got an array; NumPy has `np.where`, `np.maximum`, `&`",
    r"only (0-dimensional|length-1|size-1) arrays can be converted|must be real number, not": "a "
    "function for one number got an array; `np.exp` takes arrays where `math.exp` does not",
    r"(not enough|too many) values to unpack": "the left side of an assignment names more or fewer "
    "things than there are on the right: an array can have another number of axes than two",
    r"name '(np|numpy|math)' is not defined": "its `import` is missing",
    r"'?NoneType'?": "something is None: probably the result of a function without `return`",
    r"could not be broadcast": "two shapes do not fit: compared from the right, lengths have to be "
    "equal or 1; `keepdims=True` keeps the axis of a sum, with length 1",
    r"matmul: Input operand|shapes .* not aligned": "in a product of matrices the left one needs "
    "as many columns as the right one has rows: is one transposed, or is their order wrong?",
    r"Cannot cast ufunc": "an array of whole numbers cannot take fractions; make it of floats",
    r"maximum recursion depth": "a function calls itself too deeply; use a loop and a list of your "
    "own in its place",
    r"must be integers or slices, not (tuple|list)": "a list takes one index; several need a loop, "
    "or an array",
    r"must be integers|only integer|used as indices|interpreted as an integer": "an index or a "
    "length has to be a whole number; `//` divides without a fraction",
    r"index -?\d+ is out of bounds|index out of range": "an index goes past the end: the last of n "
    "is n - 1",
    r"axis -?\d+ is out of bounds": "the array has fewer axes than that; `axis=-1` is the last of "
    "any number",
    r"object is not iterable": "one value where several are asked for; `(x,)` is a tuple of one",
    r"'(float|int|numpy\.\w+)' object has no attribute": "a plain number or array where an object "
    "of a class is asked for; it has to be wrapped first",
    r"KeyError": "nothing was put under this key, or not yet; `key in table` asks",
    r"destination is read-only": "several elements of this array may lie in one place in memory; "
    "write into a copy",
    r"unexpected keyword argument|positional arguments?": "the parameters are not those asked for",
    r"cannot reshape array of size": "the new shape has another number of elements than the array",
    r"referenced before assignment|cannot access local variable": "a name that a function assigns "
    "to is its own: give it a value in there before it is used",
}


def meaning(message: str) -> str:
    """What an error message usually means; empty if it is none of the common ones.

    Examples
    --------
    >>> meaning("NameError: name 'np' is not defined")
    'its `import` is missing'
    >>> meaning("a message of one's own")
    ''
    """
    return next((said for found, said in MEANINGS.items() if re.search(found, message)), "")
