"""What good data, train and test blocks become."""

from __future__ import annotations

from dslc.check import check_source
from dslc.check.id_limits import id_limits
from dslc.check.program import CheckedFile
from dslc.check.typed import GoldenSide, LiteralSide, MetricSide, OnnxSide, TypedValue
from dslc.source import Source

MODEL = """\
dim N

model Net(hidden: int = 4, classes: int = 3) {
  input  x: f32[N, 2]
  output logits: f32[N, classes]
  h      = x |> fc1: Dense(hidden) |> relu |> Dropout(0.5)
  logits = h |> fc2: Dense(classes)
}

data points {
  source = {
    train: npz("a.npz", point = "x_train", label = "y_train"),
    test:  npz("b.npz", point = "x_test", label = "y_test"),
  }
  field x: f32[2]    = source["point"] / 255
  field label: i64[] = source["label"]
  split        = { train: 0.75, val: 0.25 }
  stratify     = label
  shuffle_seed = 7
}
"""
TRAIN = """
train net {
  use net   = Net(hidden = 8)
  data      = points
  let error = cross_entropy(net.logits, data.label)
  loss      = error
  metrics   = { accuracy: accuracy(net.logits, data.label) }
  optimizer = sgd(0.1, nesterov = true, momentum = 0.9)
  batch     = 16
  epochs    = 2
  seed      = 5
}
"""


def check(text: str) -> CheckedFile:
    checked, sink = check_source(Source("net.dl", text))
    assert not sink.found, [(d.code, d.message) for d in sink]
    return checked


def codes(text: str) -> list[str]:
    return [d.code for d in check_source(Source("net.dl", text))[1]]


def test_a_data_block_keeps_sources_fields_and_shares() -> None:
    data = check(MODEL).datas["points"]
    assert {part: source.path for part, source in data.sources.items()} == {"train": "a.npz", "test": "b.npz"}
    assert data.sources["test"].columns == {"point": "x_test", "label": "y_test"}
    assert {name: str(field.type) for name, field in data.fields.items()} == {"x": "f32[2]", "label": "i64[]"}
    assert [read.columns for read in data.fields["x"].reads] == [("point",)]
    assert (data.split, data.stratify, data.shuffle_seed) == ({"val": 0.25}, "label", 7)


def test_a_train_block_has_one_objective_per_mode_with_equal_parameters() -> None:
    train = check(MODEL + TRAIN).trains["net"]
    assert list(train.steps[0].training.body.params) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    assert list(train.inference.body.params) == list(train.steps[0].training.body.params)
    assert any(value.op == "random_bernoulli" for value in train.steps[0].training.body.values)
    assert not any(value.op == "random_bernoulli" for value in train.inference.body.values)
    inputs = {name: str(value.type) for name, value in train.steps[0].training.body.inputs.items()}
    assert inputs == {"x": "f32[N, 2]", "label": "i64[N]"}
    assert str(train.steps[0].training.loss.type) == "f32[]"
    assert list(train.steps[0].training.metrics) == ["accuracy"]
    assert train.uses["net"].hypers["hidden"] == 8
    assert (train.batch, train.epochs, train.seed) == (16, 2, 5)


def test_optimizer_options_are_complete_and_by_position_or_name() -> None:
    spec = check(MODEL + TRAIN).trains["net"].steps[0].optimizer
    assert spec.name == "sgd"
    assert spec.options == {"momentum": 0.9, "nesterov": True, "weight_decay": 0.0}
    assert [(stage.kind, stage.start) for stage in spec.lr] == [("constant", 0.1)]


def test_settings_left_out_are_adam_batches_of_32_and_one_epoch() -> None:
    lines = [line for line in TRAIN.splitlines() if not line.strip().startswith(("opt", "batch", "epochs", "seed"))]
    train = check(MODEL + "\n".join(lines)).trains["net"]
    optimizer = train.steps[0].optimizer
    assert (optimizer.name, optimizer.lr[0].start) == ("adam", 1e-3)
    assert (train.batch, train.epochs, train.seed) == (32, 1, 0)
    assert check(MODEL + TRAIN.replace("= 16", "= all")).trains["net"].batch is None


def test_class_ids_are_limited_by_the_logits_they_are_compared_with() -> None:
    limits = id_limits(check(MODEL + TRAIN).trains["net"].inference.body)
    assert {name: (limit.count, limit.things) for name, limit in limits.items()} == {"label": (3, "classes")}


def test_a_loss_that_ignores_an_id_does_not_limit_them() -> None:
    ignoring = TRAIN.replace("data.label)", "data.label, ignore_index = -100)", 1)
    assert ignoring != TRAIN
    assert id_limits(check(MODEL + ignoring).trains["net"].inference.body) == {}


def test_two_models_have_keys_that_begin_with_their_names() -> None:
    text = TRAIN.replace("  data ", "  use other = Net()\n  data ").replace(
        "loss      = error", "loss      = error + mse(net.h, stop_gradient(net.h)) + mean(other.logits)"
    )
    train = check(MODEL + text).trains["net"]
    assert list(train.steps[0].training.body.params)[::4] == ["net.fc1.weight", "other.fc1.weight"]
    assert str(train.steps[0].training.body.params["other.fc1.weight"].type) == "f32[2, 4]"


def test_inputs_can_be_bound_by_hand() -> None:
    data = MODEL.replace("field x:", "field pixels:")
    train = check(data + TRAIN.replace("Net(hidden = 8)", "Net(hidden = 8)(data.pixels)")).trains["net"]
    assert list(train.steps[0].training.body.inputs) == ["pixels", "label"]
    assert codes(data + TRAIN) == ["DL3031"]


def test_a_test_has_concrete_inputs_and_a_side_of_every_kind() -> None:
    text = """
test "everything" {
  use net = Net(hidden = 2)
  seed = 3
  given x = [[1, 2], [3, 4.5]]
  let top = argmax(net.logits, axis = -1)
  expect net.logits ~= golden("golden/net.json") within 1e-3
  expect onnx(net.logits) ~= net.logits
  expect shape(net.logits) == [2, 3]
  expect params(net) == 15
  expect top <= [2, 2]
}
"""
    (test,) = check(MODEL + text).tests
    assert str(test.body.inputs["x"].type) == "f32[2, 2]"
    assert test.given == {"x": ((1, 2), (3, 4.5))}
    assert test.seed == 3
    golden, onnx, shape, params, top = test.expectations
    assert isinstance(golden.right, GoldenSide)
    assert (golden.right.path, golden.within, golden.op) == ("golden/net.json", 1e-3, "~=")
    assert isinstance(onnx.left, OnnxSide)
    assert isinstance(onnx.right, TypedValue)
    assert onnx.left.value is onnx.right
    assert onnx.within == 1e-5
    assert shape.left == LiteralSide((2, 3)) == shape.right
    assert params.left == LiteralSide(15)
    assert isinstance(top.left, TypedValue)
    assert top.left.op == "argmax"


def test_a_filled_given_takes_the_type_of_its_input() -> None:
    text = 'test "t" {\n use net = Net()\n given x = ones([5, 2])\n expect shape(net.h) == [5, 4]\n}\n'
    (test,) = check(MODEL + text).tests
    value = test.given["x"]
    assert isinstance(value, TypedValue)
    assert (value.op, str(value.type)) == ("constant", "f32[5, 2]")


def test_a_test_that_trains_speaks_of_the_run() -> None:
    text = """
test "learns" {
  train net
  given x = [[1, 2]]
  expect val.accuracy > 0.5
  expect train.loss < 1
  expect argmax(net.logits, axis = -1) == [0]
}
"""
    (test,) = check(MODEL + TRAIN + text).tests
    assert test.trains == "net"
    assert not test.uses
    assert list(test.body.params) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    assert str(test.body.params["fc1.weight"].type) == "f32[2, 8]"
    assert test.expectations[0].left == MetricSide("val", "accuracy")
    assert codes(MODEL + TRAIN + text.replace("val.acc", "test.acc")) == []


def test_an_expected_error_is_silent_and_says_whether_it_was_made() -> None:
    made = 'test "t" { use net = Net(hidden = 0); expect error DL2007 }\n'
    (test,) = check(MODEL + made).tests
    assert (test.error, test.found) == ("DL2007", True)
    (test,) = check(MODEL + made.replace("= 0", "= 1")).tests
    assert (test.error, test.found) == ("DL2007", False)
    assert codes(MODEL + made.replace("= 0", "= 2.5")) == ["DL2004"]


def test_a_mistake_of_the_file_is_no_error_of_the_test() -> None:
    text = MODEL.replace("hidden: int = 4", "hidden: int = 0")
    test = 'test "t" { use net = Net(); expect error DL2007 }\n'
    checked, sink = check_source(Source("net.dl", text + test))
    assert [d.code for d in sink] == ["DL2007"]
    assert not checked.tests[0].found


def test_a_broken_model_is_reported_once_however_often_it_is_used() -> None:
    text = MODEL.replace("fc2: Dense(classes)", "fc2: Dens(classes)")
    test = 'test "t" { use net = Net(); given x = [[1, 2]]; expect shape(net.h) == [1, 4] }\n'
    assert codes(text + TRAIN + test + test.replace('"t"', '"u"')) == ["DL1003"]


def test_a_broken_train_block_does_not_break_its_tests() -> None:
    test = 'test "t" { train net; expect train.loss < 1 }\n'
    assert codes(MODEL + TRAIN.replace("batch ", "bach ") + test) == ["DL3001"]


def test_inline_class_ids_are_checked_at_once() -> None:
    inline = """data points {
  source = inline({ x: [[0, 1], [1, 0]], label: [0, LAST] })
  field x: f32[2]    = source["x"]
  field label: i64[] = source["label"]
}
"""
    model = MODEL[: MODEL.index("data points")]
    assert codes(model + inline.replace("LAST", "2") + TRAIN) == []
    assert codes(model + inline.replace("LAST", "3") + TRAIN) == ["DL3041"]
    assert codes(model + inline.replace("LAST", "-1") + TRAIN) == ["DL3041"]
