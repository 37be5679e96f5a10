"""Finding by name, and describing objects by their arguments."""

import json

import numpy as np
import pytest

from tinydl import activations, initializers, layers, losses, metrics, optimizers, regularizers
from tinydl.errors import ArgumentError
from tinydl.registry import (
    Configurable,
    Registry,
    argument_names,
    check_count,
    check_number,
    serialize,
    snake_case,
)

MODULES = [activations, initializers, layers, losses, metrics, optimizers, regularizers]
REGISTRIES = [module._registry for module in MODULES]
CLASSES = [entry for registry in REGISTRIES for entry in registry if isinstance(entry, type)]
ARGUMENTS = {
    "Activation": ["relu"],
    "Conv2D": [4, 3],
    "Dense": [3],
    "Dropout": [0.5],
    "InputLayer": [(2,)],
    "Rescaling": [0.5],
    "SensitivityAtSpecificity": [0.9],
    "SpecificityAtSensitivity": [0.9],
}


def make(cls):
    return cls(*ARGUMENTS.get(cls.__name__, []))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
class TestEveryClass:
    def test_has_a_formula(self, cls):
        formula = make(cls).formula
        assert formula
        assert formula.count("{") == formula.count("}")

    def test_its_config_is_json_and_makes_an_equal_object(self, cls):
        first = make(cls)
        config = json.loads(json.dumps(first.get_config()))
        assert config.keys() == set(argument_names(cls))
        assert cls.from_config(config).get_config() == first.get_config()

    def test_is_found_by_both_spellings_of_its_name(self, cls):
        (registry,) = (r for r in REGISTRIES if cls in list(r))
        assert registry.find(cls.__name__) is cls
        assert registry.find(snake_case(cls.__name__).upper()) is cls

    def test_documents_itself_with_an_example(self, cls):
        assert ">>>" in cls.__doc__


@pytest.mark.parametrize("module", [m for m in MODULES if m is not layers])
def test_an_unknown_name_is_refused_with_the_closest_one(module):
    name = module._registry._names[-1]
    with pytest.raises(ArgumentError, match=f"did you mean '{name}'") as caught:
        module.get(name[:-1] + "q")
    assert caught.value.where == module.__name__.removeprefix("tinydl.") + ".get"


@pytest.mark.parametrize("identifier", [3, 2.5, ["relu"], {"class_name": "relu"}])
def test_what_is_neither_name_nor_object_is_refused(identifier):
    with pytest.raises(ArgumentError, match=r"activation is"):
        activations.get(identifier)


def test_a_class_is_called_and_an_object_is_kept():
    adam = optimizers.Adam()
    assert optimizers.get(adam) is adam
    assert isinstance(optimizers.get(optimizers.Adam), optimizers.Adam)


def test_custom_objects_come_first():
    class Adam(optimizers.Adam):
        pass

    assert type(optimizers.get("Adam", {"Adam": Adam})) is Adam
    description = {"class_name": "Adam", "config": {"learning_rate": 0.5}}
    assert optimizers.get(description, {"Adam": Adam}).learning_rate == 0.5


class Base(Configurable):
    def __init__(self, *, shared=1):
        self.shared = shared


def test_arguments_of_the_parent_are_part_of_the_config():
    class Child(Base):
        def __init__(self, own, **kwargs):
            super().__init__(**kwargs)
            self.own = own

    assert Child(2, shared=3).get_config() == {"own": 2, "shared": 3}
    assert repr(Child(2)) == "Child(own=2, shared=1)"


def test_a_child_that_fixes_the_parents_arguments_leaves_them_out():
    class Fixed(Base):
        def __init__(self, own):
            super().__init__(shared=7)
            self.own = own

    assert Fixed(2).get_config() == {"own": 2}


def test_a_forgotten_attribute_is_named():
    class Forgetful(Configurable):
        def __init__(self, by=1):
            pass

    with pytest.raises(ArgumentError, match=r"self.by = by"):
        Forgetful().get_config()


def test_serialize_nested_values():
    value = {"a": (np.float32(0.5), np.arange(2)), "dtype": np.dtype("float32"), "f": len}
    assert serialize(value) == {"a": [0.5, [0, 1]], "dtype": "float32", "f": "len"}
    assert serialize(regularizers.L2(0.5)) == {"class_name": "L2", "config": {"l2": 0.5}}
    assert serialize(np.random.default_rng(0)) is None


def test_a_registry_lists_each_entry_once():
    registry = Registry("things", "thing", [len, sum], {"length": len})
    assert list(registry) == [len, sum]
    assert registry.get("Length") is len


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "3", None])
def test_a_count_is_a_whole_number_of_at_least_one(value):
    with pytest.raises(ArgumentError, match=r"Dense: units is .*, expected a whole number"):
        check_count("Dense", "units", value)


def test_a_count_may_be_a_numpy_integer():
    assert check_count("Dense", "units", np.int32(3)) == 3


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), 2.0])
def test_a_number_has_to_be_allowed(value):
    with pytest.raises(ArgumentError, match=r"where: x is .*, expected a number below 2"):
        check_number("where", "x", value, lambda x: x < 2, "below 2")


def test_a_numpy_number_becomes_a_float():
    assert type(check_number("where", "x", np.float32(0.5), lambda x: True, "")) is float
