"""Programs and models in Python: parameters that can be written, calls, files, and mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy import LOOKUP, TOY, write_toy

import dslc

X = np.array([[1, 2, 3], [-1, 0, 1]], np.float32)


@pytest.fixture
def model() -> dslc.Model:
    return dslc.parse(TOY).model(seed=3)


def codes(error: pytest.ExceptionInfo[dslc.DslcError]) -> list[str]:
    return [d.code for d in error.value.diagnostics]


# ---------------------------------------------------------------------------------------------- programs


def test_errors_carry_their_diagnostics() -> None:
    with pytest.raises(dslc.DslcError, match="DL1004") as caught:
        dslc.parse("model M { input x: f32[2]; output y: f32[2]; y = rleu(x); z = foo(x) }", name="net.dl")
    first = caught.value.diagnostics[0]
    assert first.labels[0].span.source.name == "net.dl"
    assert first.labels[0].span.text == "rleu"
    assert len(caught.value.diagnostics) == 2


def test_one_of_several_declarations_is_named_as_python_names_it() -> None:
    model = "model {} {{ input x: f32[2]; output y: f32[2]; y = x * 2 }}\n"
    program = dslc.parse(model.format("A") + model.format("C"))
    with pytest.raises(dslc.DslcError, match=r'name one: `model\("A"\)`'):
        program.model()
    block = TOY[TOY.index("train toy") : TOY.index('test "learns"')]
    with pytest.raises(dslc.DslcError, match=r'name one: `trainer\("toy"\)`'):
        dslc.parse(TOY + block.replace("train toy", "train other")).trainer()


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(dslc.DslcError) as caught:
        dslc.load("absent.dl")
    assert codes(caught) == ["DL0050"]


def test_a_parsed_text_imports_nothing() -> None:
    with pytest.raises(dslc.DslcError, match="DL1080"):
        dslc.parse('from "blocks.dl" import Block\n')


def test_paths_of_a_parsed_text_start_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_toy(tmp_path)
    trainer = dslc.parse(TOY).trainer(set={"train.toy.epochs": 1})
    with pytest.raises(dslc.DslcError, match="DL5001"):
        trainer.fit()
    monkeypatch.chdir(tmp_path)
    assert len(trainer.fit().history) == 1


def test_warnings_are_kept_and_are_no_errors() -> None:
    text = "model M { input x: f32[B, 2]; output y: f32[B, 2]; side = x + 1; y = x * 2 }\ndim B"
    assert [d.code for d in dslc.parse(text).warnings] == ["DL4001"]


def test_hyper_parameters_are_arguments() -> None:
    program = dslc.parse(TOY)
    assert program.model("Toy", hidden=7).params["fc1.weight"].shape == (3, 7)
    for wrong in ({"hiden": 7}, {"hidden": 0}, {"hidden": "many"}):
        with pytest.raises(dslc.DslcError):
            program.model("Toy", **wrong)
    with pytest.raises(dslc.DslcError) as caught:
        program.model("Tyo")
    assert codes(caught) == ["DL0053"]


# ---------------------------------------------------------------------------------------------- models


def test_first_values_depend_on_the_seed_alone() -> None:
    program = dslc.parse(TOY)
    one, same, other = (program.model(seed=seed).params["fc1.weight"] for seed in (3, 3, 4))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_call_computes_what_the_program_says(model: dslc.Model) -> None:
    p = model.params
    hidden = np.maximum(X @ p["fc1.weight"] + p["fc1.bias"], 0)
    expected = hidden @ p["fc2.weight"] + p["fc2.bias"]
    assert np.max(np.abs(model(x=X)["logits"] - expected)) < 1e-6
    assert model(x=X)["logits"].dtype == np.float32


def test_parameters_are_written_in_place(model: dslc.Model) -> None:
    before = model(x=X)["logits"]
    model.params["fc2.bias"][:] += 1
    assert np.allclose(model(x=X)["logits"], before + 1, atol=1e-6)


def test_results_are_the_callers_own(model: dslc.Model) -> None:
    first = model(x=X)["logits"]
    kept = first.copy()
    model(x=X + 1)
    assert np.array_equal(first, kept)
    first[:] = 0
    assert np.array_equal(model(x=X)["logits"], kept)


def test_any_batch_size_gives_the_same_rows(model: dslc.Model) -> None:
    many = np.tile(X, (50, 1))
    whole = model(x=many)["logits"]
    assert np.max(np.abs(whole - np.tile(model(x=X)["logits"], (50, 1)))) < 1e-6
    assert np.max(np.abs(model.predict(batch=7, x=many)["logits"] - whole)) < 1e-6
    assert model(x=np.zeros((0, 3)))["logits"].shape == (0, 3)


def test_lists_and_integers_become_the_inputs_type(model: dslc.Model) -> None:
    assert np.array_equal(model(x=X.astype(int).tolist())["logits"], model(x=X)["logits"])


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({}, "no array is given for `x`"),
        ({"x": X, "y": X}, "there is no input `y`"),
        ({"x": X[0]}, "axes"),
        ({"x": X[:, :2]}, "3"),
        ({"x": [["a", "b", "c"]]}, "`x` takes float32 values"),
        ({"x": [[1, 2, 3], [1]]}, "the rows given for `x` differ in length"),
        ({"x": X.astype(complex)}, "`x` takes float32 values, not complex128"),
    ],
)
def test_arrays_that_do_not_fit_are_a_coded_error(model: dslc.Model, inputs: dict[str, object], text: str) -> None:
    for compute in (model, model.predict):
        with pytest.raises(dslc.DslcError) as caught:
            compute(**inputs)
        assert codes(caught) == ["DL5040"]
        assert text in caught.value.diagnostics[0].message


def test_an_input_without_its_name_is_a_coded_error(model: dslc.Model) -> None:
    with pytest.raises(dslc.DslcError) as caught:
        model(X)
    assert codes(caught) == ["DL5040"]
    assert caught.value.diagnostics[0].footers[0].text == "write `net(x=...)`"


def test_an_id_beyond_a_table_is_a_coded_error() -> None:
    model = dslc.parse(LOOKUP).model()
    with pytest.raises(dslc.DslcError) as caught:
        model(ids=[5])
    assert codes(caught) == ["DL5041"]
    assert model(ids=[4])["y"].tolist() == [model.params["table"][4].tolist()]
    with pytest.raises(dslc.DslcError) as caught:
        model(ids=[1.5])
    assert codes(caught) == ["DL5040"]


# ---------------------------------------------------------------------------------------------- files


def test_saved_parameters_load_into_the_same_memory(model: dslc.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "m.safetensors")
    other = dslc.parse(TOY).model(seed=8)
    memory = other.params["fc1.weight"]
    other.load(tmp_path / "m.safetensors")
    assert other.params["fc1.weight"] is memory
    assert np.array_equal(other(x=X)["logits"], model(x=X)["logits"])


def test_parameters_of_another_shape_are_refused_and_nothing_changes(model: dslc.Model, tmp_path: Path) -> None:
    dslc.parse(TOY).model(hidden=5).save(tmp_path / "m.safetensors")
    before = {key: value.copy() for key, value in model.params.items()}
    with pytest.raises(dslc.DslcError) as caught:
        model.load(tmp_path / "m.safetensors")
    assert codes(caught) == ["DL5021"]
    assert all(np.array_equal(model.params[key], value) for key, value in before.items())


def test_files_that_cannot_be_are_coded_errors(model: dslc.Model, tmp_path: Path) -> None:
    with pytest.raises(dslc.DslcError, match="DL5023"):
        model.save(tmp_path / "absent" / "m.safetensors")
    with pytest.raises(dslc.DslcError, match="DL5020"):
        model.load(tmp_path / "absent.safetensors")
    with pytest.raises(dslc.DslcError, match="DL6007"):
        model.export(tmp_path / "m.onnx", opset=3)
    with pytest.raises(dslc.DslcError, match="DL5024"):
        dslc.open_run(tmp_path)


def test_the_package_lists_its_names() -> None:
    for name in dir(dslc):
        assert getattr(dslc, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = dslc.lode  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------------- parameters


def test_assigning_to_a_parameter_changes_the_model_and_its_trainer() -> None:
    trainer = dslc.parse(TOY).trainer()
    trainer.models["net"].params["fc1.bias"] = np.full(4, 3.0)
    assert (trainer.models["net"].params["fc1.bias"] == 3).all()
    model = dslc.parse(TOY).model()
    before = model(x=np.ones((1, 3)))["logits"]
    model.params["fc2.bias"] = 7
    model.params.update({"fc2.weight": np.zeros((4, 3))})
    assert (model(x=np.ones((1, 3)))["logits"] == 7).all()
    assert not (before == 7).any()


@pytest.mark.parametrize(
    ("key", "value"),
    [("fc1.bais", np.zeros(4)), ("fc1.bias", np.zeros(5)), ("fc1.bias", "text"), ("fc1.bias", [[1], [1, 2]])],
)
def test_what_does_not_fit_a_parameter_is_refused_and_changes_nothing(key: str, value: object) -> None:
    model = dslc.parse(TOY).model()
    before = {name: array.copy() for name, array in model.params.items()}
    with pytest.raises(dslc.DslcError, match="DL5042"):
        model.params[key] = value
    for name, array in model.params.items():
        np.testing.assert_array_equal(array, before[name])


def test_keys_of_parameters_are_fixed() -> None:
    model = dslc.parse(TOY).model()
    with pytest.raises(dslc.DslcError, match="neither added nor removed"):
        del model.params["fc1.bias"]
    with pytest.raises(dslc.DslcError, match="neither added nor removed"):
        model.params.clear()


def test_what_is_printed_is_short() -> None:
    program = dslc.parse(TOY)
    assert repr(program.model()) == "Model(Toy: 31 parameters)"
    assert repr(program.trainer()) == "Trainer(toy: 0 steps)"


def test_whole_numbers_are_asked_for() -> None:
    with pytest.raises(ValueError, match="`seed` must be a whole number of at least 0, not -1"):
        dslc.parse(TOY).model(seed=-1)
    with pytest.raises(ValueError, match="`batch` must be"):
        dslc.parse(TOY).model().predict(batch=0, x=np.ones((1, 3)))
