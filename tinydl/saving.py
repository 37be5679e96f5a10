"""Models as files: numbers in the safetensors format, everything else beside them as JSON.

A safetensors file is a table of named arrays with a dictionary of strings. It holds no code, so
reading a file from a stranger runs nothing. The arrays are named ``"layer/weight"``; the strings
are

===========  ===================================================================================
``format``   ``"tinydl"``
``weights``  the names of the arrays in the order of ``model.weights``, as a JSON list
``model``    in files of whole models: class, arguments, input shape and the settings of `compile`
===========  ===================================================================================

Format: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinydl import losses, metrics, optimizers
from tinydl.errors import ArgumentError, FileFormatError, ShapeError, TinydlError
from tinydl.models.model import Model
from tinydl.models.sequential import Sequential
from tinydl.registry import serialize
from tinydl.utils import replacing


def save_model(model: Model, filepath: str | Path, overwrite: bool = True) -> None:
    """Write architecture, weights and the settings of `compile` to a file.

    Parameters
    ----------
    model : Model
        With its weights made.
    filepath : str or Path
        Ends in ``.safetensors``. The file appears whole or not at all.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    ArgumentError
        When the suffix is another, the file exists and must not be replaced, or the model has no
        weights yet because its input shape is not known.
    OSError
        When the file cannot be written.
    """
    path = _target("save", filepath, ".safetensors", overwrite)
    described = serialize(model) | {
        "input_shape": model.input_shape,
        "compile": model.compile_config,
    }
    _write("save", path, model, {"model": json.dumps(described)})


def load_model(
    filepath: str | Path, custom_objects: dict[str, Any] | None = None, compile: bool = True
) -> Model:
    """Read a model that `Model.save` wrote.

    Parameters
    ----------
    filepath : str or Path
        The file.
    custom_objects : dict, optional
        Your own classes (layers, models, losses, metrics) and functions, by the names they had.
    compile : bool
        Whether to compile the model as it was compiled; its optimizer starts afresh.

    Returns
    -------
    Model

    Raises
    ------
    FileFormatError
        When the file is damaged, holds no whole model, or needs something that is not among the
        custom objects.
    FileNotFoundError
        When there is no such file.

    Examples
    --------
    >>> import tempfile
    >>> from tinydl.layers import Dense, Input
    >>> model = Sequential([Input((2,)), Dense(1)])
    >>> path = Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> model.save(path)
    >>> x = np.ones((1, 2))
    >>> bool(load_model(path).predict(x, verbose=0) == model.predict(x, verbose=0))
    True
    """
    content = _read("load_model", filepath)
    if "model" not in content.strings:
        raise FileFormatError(
            "load_model",
            str(filepath),
            got="a file of weights only",
            expected="a whole model",
            hint="make the model and call its load_weights, or write the file with model.save",
        )
    try:
        described = json.loads(content.strings["model"])
        model = _make(described, custom_objects)
        if compile and described["compile"]:
            model.compile(**_compile_settings(described["compile"], custom_objects or {}))
    except (TinydlError, LookupError, TypeError, ValueError) as error:
        raise FileFormatError(
            "load_model", str(filepath), hint=f"the model in it cannot be made: {error}"
        ) from error
    _assign("load_model", filepath, model, content)
    return model


def save_weights(model: Model, filepath: str | Path, overwrite: bool = True) -> None:
    """Write only the weights; like `save_model`, but the suffix is ``.weights.safetensors``."""
    path = _target("save_weights", filepath, ".weights.safetensors", overwrite)
    _write("save_weights", path, model, {})


def load_weights(model: Model, filepath: str | Path) -> None:
    """Give a model the weights from a file, in order; all of them, or none if one does not fit.

    Raises
    ------
    FileFormatError
        When the file is damaged, or was not written by tinydl.
    ShapeError
        When the number of weights or one of their shapes differs from the model's.
    FileNotFoundError
        When there is no such file.
    """
    _assign("load_weights", filepath, model, _read("load_weights", filepath))


class Content(NamedTuple):
    """What a file holds: arrays by name, in the order of the model's weights, and strings."""

    arrays: dict[str, np.ndarray]
    strings: dict[str, str]


def _target(where: str, filepath: str | Path, suffix: str, overwrite: bool) -> Path:
    path = Path(filepath)
    if not path.name.endswith(suffix):
        raise ArgumentError(
            where,
            "filepath",
            got=repr(str(filepath)),
            expected=f"a name that ends in {suffix}",
            hint="tinydl writes the safetensors format",
        )
    if path.exists() and not overwrite:
        raise ArgumentError(
            where,
            "filepath",
            got=repr(str(filepath)),
            expected="the name of a new file",
            hint="this one exists; pass overwrite=True to replace it",
        )
    return path


def _write(where: str, path: Path, model: Model, strings: dict[str, str]) -> None:
    from safetensors.numpy import save

    if not model.built:
        raise ArgumentError(
            where,
            f"model {model.name}",
            got="without weights",
            expected="a built one",
            hint="begin it with Input(shape), call build(input_shape), or train it first",
        )
    arrays = {weight.name or "": weight.data for weight in model.weights}
    if len(arrays) < len(model.weights):
        names = [weight.name for weight in model.weights]
        twice = next(name for name in names if names.count(name) > 1)
        raise ArgumentError(
            where, f"two weights are named {twice!r}", hint="give the layers different names"
        )
    strings = {"format": "tinydl", "weights": json.dumps(list(arrays)), **strings}
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays, strings))


def _read(where: str, filepath: str | Path) -> Content:
    from safetensors import SafetensorError, safe_open

    path = Path(filepath)
    path.open("rb").close()  # raises what the system says, if the file cannot be read
    try:
        with safe_open(path, framework="numpy") as file:
            strings = file.metadata() or {}
            if strings.get("format") != "tinydl":
                raise FileFormatError(
                    where,
                    str(path),
                    got="a safetensors file from elsewhere",
                    expected="one that tinydl wrote",
                )
            names = json.loads(strings["weights"])
            return Content({name: file.get_tensor(name) for name in names}, strings)
    except (SafetensorError, LookupError, json.JSONDecodeError) as error:
        raise FileFormatError(
            where, str(path), hint=f"the file is damaged, or no safetensors file ({error})"
        ) from error


def _make(described: dict[str, Any], custom_objects: dict[str, Any] | None) -> Model:
    name, config = described["class_name"], described["config"]
    if name == "Sequential":
        model: Model = Sequential.from_config(config, custom_objects)
    elif name in (custom_objects or {}):
        assert custom_objects is not None
        model = custom_objects[name].from_config(config)
    else:
        raise LookupError(f"pass custom_objects={{{name!r}: {name}}}")
    if not model.built:
        model.build(tuple(described["input_shape"]))
    return model


def _compile_settings(described: dict[str, Any], custom_objects: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `compile`; a name stays one, unless it is the name of a custom object."""

    def find(get: Callable[..., Any], identifier: Any) -> Any:
        if isinstance(identifier, dict):
            return get(identifier, custom_objects=custom_objects)
        return custom_objects.get(identifier, identifier)

    return {
        "optimizer": find(optimizers.get, described["optimizer"]),
        "loss": find(losses.get, described["loss"]),
        "metrics": [find(metrics.get, metric) for metric in described["metrics"]],
    }


def _assign(where: str, filepath: str | Path, model: Model, content: Content) -> None:
    own, arrays = model.weights, content.arrays
    fits = len(own) == len(arrays) and all(
        w.shape == array.shape for w, array in zip(own, arrays.values(), strict=True)
    )
    if not fits:
        raise ShapeError(
            where,
            f"what {filepath} holds",
            got=[f"{name} {array.shape}" for name, array in arrays.items()],
            expected=[f"{w.name} {w.shape}" for w in own],
            hint="" if model.built else "the model has no weights before its input shape is known",
        )
    for w, array in zip(own, arrays.values(), strict=True):
        w.assign(array)
