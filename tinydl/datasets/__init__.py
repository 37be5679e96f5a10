"""Data sets that come with the package: one module each, with a function ``load_data``.

The arrays lie beside the modules, as ``.npz`` files without pickles; ``README.md`` tells where
they come from and under which licence.
"""

from tinydl.datasets import breast_cancer, mnist

__all__ = ["breast_cancer", "mnist"]
