"""Names of other libraries: each one means something that exists here."""

from __future__ import annotations

from dslc.check import foreign
from dslc.check.calls import function_names
from dslc.check.library import LAYERS


def test_every_layer_of_another_library_is_one_here() -> None:
    assert set(foreign._LAYERS.values()) <= set(LAYERS)


def test_every_function_of_another_library_is_one_here() -> None:
    assert set(foreign._FUNCTIONS.values()) <= set(function_names())


def test_no_name_here_is_translated() -> None:
    known = [*LAYERS, *function_names()]
    translated = {name: foreign.layer_meant(name) or foreign.function_meant(name) for name in known}
    assert {name: meant for name, meant in translated.items() if meant and meant != name} == {}


def test_an_argument_is_translated_only_to_one_that_exists() -> None:
    assert foreign.argument_meant("dim", ["axis"]) == "axis"
    assert foreign.argument_meant("dim", ["x", "axes"]) == "axes"
    assert foreign.argument_meant("dim", ["units"]) == ""
    assert foreign.argument_meant("use_bias", ["units", "bias"]) == "bias"
