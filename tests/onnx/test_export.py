"""The ONNX file of a model: names, axes, versions, metadata, bytes, and what happens when it is not right."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
from toy import LOOKUP, TOY

import dslc
from dslc.backends import prove_onnx
from dslc.driver import exporting, using
from dslc_runtime import ort

needs_ort = pytest.mark.skipif(not ort.is_installed(), reason="ONNX Runtime is not installed")

MANY = """\
dim B, T

## Two inputs, a shared value, a leaf as output.
model Many {
  input  a: f32[B, 4]
  input  m: bool[B, 4]
  input  n: i64[T]
  output y: f32[B, 4]
  output same: f32[B, 4]
  output twice: f32[B, 4]
  output count: i64[T]
  param w: f32[4] = [1, 2, 3, 4]
  y     = where(m, a * w, 0 - a)
  same  = a
  twice = y * 2
  count = n
}
"""


@pytest.fixture
def model() -> dslc.Model:
    return dslc.parse(TOY).model(seed=1)


def exported(model: dslc.Model, path: Path) -> onnx.ModelProto:
    model.export(path)
    found = onnx.load(path)
    onnx.checker.check_model(found, full_check=True)
    return found


def axes(value: onnx.ValueInfoProto) -> list[int | str]:
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


# ---------------------------------------------------------------------------------------------- the file


def test_initializers_carry_the_parameters_keys_and_values(model: dslc.Model, tmp_path: Path) -> None:
    found = {
        item.name: onnx.numpy_helper.to_array(item) for item in exported(model, tmp_path / "m.onnx").graph.initializer
    }
    assert set(model.params) <= set(found)
    for key, value in model.params.items():
        assert np.array_equal(found[key], value)
        assert found[key].dtype == value.dtype


def test_inputs_and_outputs_are_named_and_the_batch_axis_too(model: dslc.Model, tmp_path: Path) -> None:
    graph = exported(model, tmp_path / "m.onnx").graph
    assert {item.name: axes(item) for item in graph.input} == {"x": ["B", 3]}
    assert {item.name: axes(item) for item in graph.output} == {"logits": ["B", 3]}


def test_versions_are_pinned(model: dslc.Model, tmp_path: Path) -> None:
    found = exported(model, tmp_path / "m.onnx")
    assert [(item.domain, item.version) for item in found.opset_import] == [("", 18)]
    assert found.ir_version == 10


def test_metadata_says_where_it_came_from(model: dslc.Model, tmp_path: Path) -> None:
    found = exported(model, tmp_path / "m.onnx")
    metadata = {entry.key: entry.value for entry in found.metadata_props}
    assert metadata == {
        "dslc.format_version": "1",
        "dslc.model": "Toy",
        "dslc.source_sha256": sha256(TOY.encode()).hexdigest(),
        "dslc.version": dslc.__version__,
    }
    assert found.doc_string == "Tells three kinds of points apart."
    assert found.graph.name == "Toy"
    assert found.producer_name == "dslc"


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        dslc.parse(TOY).model(seed=1).export(tmp_path / f"{name}.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_dropout_is_not_in_the_export(model: dslc.Model, tmp_path: Path) -> None:
    used = {node.op_type for node in exported(model, tmp_path / "m.onnx").graph.node}
    assert not {op for op in used if "Random" in op or op in ("Dropout", "Bernoulli")}


@needs_ort
@pytest.mark.parametrize("rows", [1, 3, 64])
def test_onnx_runtime_computes_the_same_at_any_batch_size(model: dslc.Model, tmp_path: Path, rows: int) -> None:
    x = np.random.Generator(np.random.Philox(rows)).standard_normal((rows, 3)).astype(np.float32)
    model.export(tmp_path / "m.onnx")
    found = ort.open_session((tmp_path / "m.onnx").read_bytes()).run({"x": x})["logits"]
    assert np.max(np.abs(found - model(x=x)["logits"])) < 1e-5


@needs_ort
def test_several_inputs_outputs_and_types_are_exported(tmp_path: Path) -> None:
    model = dslc.parse(MANY).model()
    graph = exported(model, tmp_path / "m.onnx").graph
    assert {item.name: axes(item) for item in graph.output} == {
        "y": ["B", 4],
        "same": ["B", 4],
        "twice": ["B", 4],
        "count": ["T"],
    }
    feeds = {
        "a": np.arange(8, dtype=np.float32).reshape(2, 4),
        "m": np.array([[1, 0, 1, 0], [0, 0, 1, 1]], bool),
        "n": np.array([3, 1, 2]),
    }
    found = ort.open_session((tmp_path / "m.onnx").read_bytes()).run(feeds)
    expected = np.where(feeds["m"], feeds["a"] * [1, 2, 3, 4], -feeds["a"])
    for name, value in model(**feeds).items():
        assert np.array_equal(found[name], value)
    assert np.array_equal(found["y"], expected)
    assert np.array_equal(found["twice"], 2 * expected)


def test_lookups_by_ids_are_exported(tmp_path: Path) -> None:
    assert "Gather" in {node.op_type for node in exported(dslc.parse(LOOKUP).model(), tmp_path / "m.onnx").graph.node}


# ---------------------------------------------------------------------------------------------- the proof


def test_a_file_that_is_not_called_onnx_is_not_written(model: dslc.Model, tmp_path: Path) -> None:
    with pytest.raises(dslc.DslcError, match=r"`m\.txt` does not end in \.onnx"):
        model.export(tmp_path / "m.txt")
    assert not list(tmp_path.iterdir())


@needs_ort
def test_a_file_that_computes_something_else_is_not_written(
    model: dslc.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.onnx"
    model.export(path)
    before = path.read_bytes()
    right = exporting.to_onnx

    def wrong(graph, params, **more):
        return right(graph, {**params, "fc2.bias": params["fc2.bias"] + np.float32(1e-3)}, **more)

    monkeypatch.setattr(exporting, "to_onnx", wrong)
    model.params["fc2.bias"][:] += 5
    for target in (path, tmp_path / "other.onnx"):
        with pytest.raises(dslc.DslcError, match="DL6004") as caught:
            model.export(target)
        assert "output `logits` at size 1 differs by" in caught.value.diagnostics[0].message
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["m.onnx"]


def test_parameters_beyond_one_file_are_refused(
    model: dslc.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MAX_BYTES", 1_000_000)
    with pytest.raises(dslc.DslcError, match="DL6005"):
        model.export(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


@needs_ort
def test_a_frozen_batch_size_is_found(model: dslc.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = exporting.to_onnx

    def frozen(graph, params, **more):
        made = right(graph, params, **more)
        one = onnx.helper.make_tensor("one_row", onnx.TensorProto.INT64, [2], [1, 3])
        made.graph.initializer.append(one)
        last = next(node for node in made.graph.node if "logits" in node.output)
        last.output[0] = "unfrozen"
        made.graph.node.append(onnx.helper.make_node("Reshape", ["unfrozen", "one_row"], ["logits"]))
        return made

    monkeypatch.setattr(exporting, "to_onnx", frozen)
    with pytest.raises((dslc.DslcError, onnx.shape_inference.InferenceError)):
        model.export(tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


@needs_ort
def test_the_proof_names_sizes_and_the_worst_difference() -> None:
    from dslc.driver.frontend import check_program
    from dslc.driver.models import choose_model, compile_model, initial_params
    from dslc.source import Source

    compiled = compile_model(choose_model(check_program(Source("toy.dl", TOY)), None, {}))
    _, proof = exporting.onnx_bytes(compiled, initial_params(compiled.typed.body.params, 0))
    assert proof.sizes == prove_onnx.SIZES == (1, 2, 7)
    assert 0 <= proof.worst < 1e-5


@needs_ort
@pytest.mark.parametrize(
    ("size", "value", "sizes"),
    [
        ("T / 2, 2, 3", 'rearrange(x, "(t s) d -> t s d", s = 2)', (2, 14)),
        ("T, 3", "reshape(x, [-1, 3])", (1, 2, 7)),
        ("T / 5, 15", "reshape(x, [-1, 15])", (5, 10, 35)),
        ("(T + 1) / 2, 2, 3", 'rearrange(concat(x, x[:1], axis = 0), "(t s) d -> t s d", s = 2)', (1, 3, 7)),
        ("T / 600, 1800", "reshape(x, [-1, 1800])", ()),
    ],
)
def test_models_whose_sizes_are_quotients_are_compared_at_sizes_that_fit(
    tmp_path: Path, size: str, value: str, sizes: tuple[int, ...]
) -> None:
    path = tmp_path / "m.dl"
    path.write_text(f"dim T\nmodel M {{\n  input x: f32[T, 3]\n  output y: f32[{size}]\n  y = {value}\n}}\n")
    said = using.export_file(path, None, tmp_path / "m.onnx", 18, [], 0).text
    assert (f"at batch sizes {', '.join(map(str, sizes))};" if sizes else "no small sizes fit the model") in said


@pytest.mark.parametrize(
    ("found", "expected", "differs"),
    [
        ([1.0, np.nan, np.inf], [1.0, np.nan, np.inf], False),
        ([1.0, 2.0], [1.0, np.nan], True),
        ([np.inf], [-np.inf], True),
        ([1.0], [1.0 + 1e-6], False),
        ([1.0], [1.0 + 1e-4], True),
        ([1000.0, 0.0], [1000.0, 1e-3], False),
        ([], [], False),
    ],
)
def test_differences_are_held_against_the_largest_value(
    found: list[float], expected: list[float], differs: bool
) -> None:
    a, b = np.array(found, np.float32), np.array(expected, np.float32)
    if differs:
        with pytest.raises(Exception, match="DL6004"):
            prove_onnx._difference("y", "f32", 1, a, b)
    else:
        assert prove_onnx._difference("y", "f32", 1, a, b) <= 1e-5


# ---------------------------------------------------------------------------------------------- sessions


@needs_ort
def test_a_model_that_onnx_runtime_refuses_is_a_fault_with_its_reason(model: dslc.Model, tmp_path: Path) -> None:
    found = exported(model, tmp_path / "m.onnx")
    found.opset_import[0].version = 99
    with pytest.raises(ort.RuntimeFault, match="DL6003: ONNX Runtime refuses the model") as caught:
        ort.open_session(found.SerializeToString())
    assert "99" in caught.value.message


@needs_ort
def test_a_session_refuses_arrays_of_another_shape(model: dslc.Model, tmp_path: Path) -> None:
    model.export(tmp_path / "m.onnx")
    session = ort.open_session((tmp_path / "m.onnx").read_bytes(), threads=1)
    with pytest.raises(ort.RuntimeFault, match="DL6003: ONNX Runtime failed"):
        session.run({"x": np.ones((2, 4), np.float32)})
