"""`--set`: where a path leads, what the text becomes, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from dslc.check.data_paths import set_data_path
from dslc.check.inlining import inlined
from dslc.check.overrides import apply_overrides
from dslc.check.units import Unit
from dslc.diagnostics import Sink
from dslc.source import Source
from dslc.syntax import tree
from dslc.syntax.parse import parse

PROGRAM = """\
dim B

model MLP(hidden: int = 128, act: string = "relu", p: float) {   # a comment that stays
  input  x: f32[B, 2]
  output y: f32[B, 1]
  y = x |> a: Dense(hidden) |> b: Dense(1)
}

data table {
  source = { train: npz("data/a.npz", x = "x"), test: npz("/abs/b.npz", x = "x") }
  field x: f32[2] = source["x"]
  split = { val: 0.1 }                     # a tenth
}

train mlp {
  use net   = MLP(64, p = 0.5)
  data      = table
  loss      = mean(net.y)
  optimizer = adam(lr = 1e-3)              # Adam
  epochs    = 5
}
"""


def parsed(text: str) -> tree.File:
    sink = Sink()
    file = parse(Source("net.dl", text), sink)
    assert not sink.found, [d.message for d in sink]
    return file


def override(text: str, *settings: str) -> str:
    sink = Sink()
    result = apply_overrides(Unit(parsed(text)), settings, sink).source.text
    assert not sink.found, [d.message for d in sink]
    parsed(result)
    return result


def refused(text: str, setting: str) -> tuple[str, str, tuple[str, ...]]:
    """The code, the message and the footers' texts; the text of the program must not have changed."""
    sink = Sink()
    assert apply_overrides(Unit(parsed(text)), [setting], sink).source.text == text
    (found,) = sink.found
    assert found.labels[0].span.source.name == "--set"
    assert found.labels[0].span.source.text == setting
    return found.code, found.message, tuple(f.text + " ".join(getattr(f, "code", ())) for f in found.footers)


def changed_lines(before: str, after: str) -> list[str]:
    known = before.splitlines()
    return [line for line in after.splitlines() if line not in known]


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("epochs=10", "  epochs    = 10"),
        ("mlp.epochs = 10", "  epochs    = 10"),
        ("train.mlp.epochs=10", "  epochs    = 10"),
        ("lr=3e-4", "  optimizer = adam(lr = 3e-4)              # Adam"),
        ("optimizer.beta1=0.5", "  optimizer = adam(lr = 1e-3, beta1 = 0.5)              # Adam"),
        ("train.mlp.optimizer=sgd(lr = 0.1)", "  optimizer = sgd(lr = 0.1)              # Adam"),
        ("net.hidden=256", "  use net   = MLP(256, p = 0.5)"),
        ("net.p=0", "  use net   = MLP(64, p = 0)"),
        ('net.act="tanh"', '  use net   = MLP(64, p = 0.5, act = "tanh")'),
        ("batch=all", "  batch = all"),
        ("split.val=0.2", "  split = { val: 0.2 }                     # a tenth"),
        ("split.test=0.2", "  split = { val: 0.1, test: 0.2 }                     # a tenth"),
        ("shuffle_seed=3", "  shuffle_seed = 3"),
        ("data.table.stratify=x", "  stratify = x"),
    ],
)
def test_a_setting_changes_one_line_and_keeps_comments(setting: str, line: str) -> None:
    assert changed_lines(PROGRAM, override(PROGRAM, setting)) == [line]


def test_a_default_that_is_set_wins_over_the_use() -> None:
    lines = changed_lines(PROGRAM, override(PROGRAM, "model.MLP.hidden=32"))
    assert lines == [
        'model MLP(hidden: int = 32, act: string = "relu", p: float) {   # a comment that stays',
        "  use net   = MLP(32, p = 0.5)",
    ]


def test_a_bare_hyper_parameter_is_the_models_and_wins_over_the_use() -> None:
    assert override(PROGRAM, "hidden=32") == override(PROGRAM, "model.MLP.hidden=32")


def test_a_default_can_be_added() -> None:
    assert "p: float = 0.25)" in override(PROGRAM, "model.MLP.p=0.25")


def test_without_a_train_block_a_bare_name_sets_the_default() -> None:
    text = PROGRAM[: PROGRAM.index("train mlp")]
    assert changed_lines(text, override(text, "hidden=8"))[0].startswith("model MLP(hidden: int = 8,")


def test_settings_are_applied_in_order() -> None:
    text = override(PROGRAM, "optimizer.beta1=0.5", "optimizer.eps=1e-6", "optimizer.beta1=0.6", "seed=1", "seed=2")
    assert "adam(lr = 1e-3, beta1 = 0.6, eps = 1e-6)" in text
    assert text.count("seed = 2") == 1
    assert "seed = 1" not in text


def test_absent_parts_are_inserted_whole() -> None:
    text = PROGRAM.replace("  optimizer = adam(lr = 1e-3)              # Adam\n", "").replace(
        "  split = { val: 0.1 }                     # a tenth\n", ""
    )
    assert "  optimizer = adam(lr = 0.5)\n}" in override(text, "lr=0.5")
    assert "  split = { val: 0.5 }\n}" in override(text, "split.val=0.5")


def test_blocks_on_one_line_are_extended_too() -> None:
    text = 'data d { source = npz("a.npz"); field x: f32[] = source["x"] }\ntrain t { data = d; loss = 1; }\n'
    assert override(text, "epochs=3").splitlines()[1] == "train t { data = d; loss = 1; epochs = 3 }"
    assert override(text, "split.val=0.5").splitlines()[0].endswith('source["x"]; split = { val: 0.5 } }')


def test_an_unknown_path_proposes_near_names() -> None:
    code, message, footers = refused(PROGRAM, "hiden=3")
    assert (code, message) == ("DL3081", "there is no setting `hiden`")
    assert footers[0] == "did you mean `hidden`?"
    code, _, footers = refused(PROGRAM, "train.mlp.epoch=3")
    assert (code, footers[0]) == ("DL3081", "did you mean `train.mlp.epochs`?")
    _, _, footers = refused(PROGRAM, "train.mlp.optimizer.xyz=3")
    assert footers[-1] == "`train.mlp.optimizer` has `lr`, `beta1`, `beta2`, `eps` and `weight_decay`"


def test_an_ambiguous_path_lists_the_full_ones() -> None:
    text = PROGRAM + PROGRAM[PROGRAM.index("train mlp") :].replace("train mlp", "train other")
    code, message, footers = refused(text, "epochs=3")
    assert (code, message) == ("DL3082", "`epochs` can mean 2 places")
    assert footers == ("write the path out:--set train.mlp.epochs=3 --set train.other.epochs=3",)
    assert refused(text, "hidden=3")[0] == "DL3082"
    assert "train.other.epochs" not in override(text, "other.epochs=3")


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("epochs", "DL3080"),
        ("epochs=", "DL3080"),
        ("=3", "DL3080"),
        ("epochs==3", "DL3080"),
        ("epochs=3\n  seed = 4", "DL3080"),
        ("epochs=3 # all", "DL3080"),
        ("hidden=2.5", "DL3083"),
        ("hidden=true", "DL3083"),
        ("hidden=big", "DL3083"),
        ("net.act=tanh", "DL3083"),
    ],
)
def test_a_value_at_fault_is_shown_in_the_setting(setting: str, code: str) -> None:
    assert refused(PROGRAM, setting)[0] == code


@pytest.mark.parametrize("value", ["(3", "3)", "3 }", "1 }\ntrain x {", '"open', "1) + (2", "@", "\x00"])
def test_no_value_can_break_out_of_its_place(value: str) -> None:
    sink = Sink()
    result = apply_overrides(Unit(parsed(PROGRAM)), [f"epochs={value}"], sink).source
    assert sink.failed
    assert result.text == PROGRAM
    for diagnostic in sink:
        for label in diagnostic.labels:
            assert 0 <= label.span.start <= label.span.end <= len(f"epochs={value}")


def test_a_string_without_quotes_is_told_how_to_quote() -> None:
    footers = refused(PROGRAM, "net.act=tanh")[2]
    assert "--set 'train.mlp.net.act=\"tanh\"'" in footers[0]


def test_paths_of_data_become_absolute_and_others_stay() -> None:
    text = inlined(Unit(parsed(PROGRAM)), lambda _: Path("/home/me"))
    assert 'npz("/home/me/data/a.npz", x = "x")' in text
    assert 'npz("/abs/b.npz", x = "x")' in text
    assert len(changed_lines(PROGRAM, text)) == 1


def test_a_path_with_quotes_stays_one_string() -> None:
    text = inlined(Unit(parsed(PROGRAM)), lambda _: Path('/a"b\\c'))
    (data,) = (d for d in parsed(text).decls if isinstance(d, tree.DataDecl))
    (source,) = (s.value for s in data.body if isinstance(s, tree.AssignStmt) and s.targets[0].text == "source")
    assert isinstance(source, tree.Record)
    call = source.entries[0].value
    assert isinstance(call, tree.Call)
    path = call.args[0].value
    assert isinstance(path, tree.String)
    assert path.value == '/a"b\\c/data/a.npz'


def test_another_data_path_goes_into_every_source() -> None:
    sink = Sink()
    text = set_data_path(Unit(parsed(PROGRAM)), Path("/other.npz"), False, sink).source.text
    assert not sink.found
    assert text.count('npz("/other.npz", x = "x")') == 2


TWO = """\
dim B
model M(hidden: int = 4) { input x: f32[B, 2]; output y: f32[B, hidden]; y = x |> fc: Dense(hidden) }
train small { use net = M(hidden = 2); data = d; epochs = 3 }
train large { use net = M(hidden = 8); data = d; epochs = 5 }
"""


@pytest.mark.parametrize(
    ("about", "setting", "line"),
    [
        ("large", "epochs=7", "train large { use net = M(hidden = 8); data = d; epochs = 7 }"),
        ("small", "epochs=7", "train small { use net = M(hidden = 2); data = d; epochs = 7 }"),
        ("large", "net.hidden=9", "train large { use net = M(hidden = 9); data = d; epochs = 5 }"),
    ],
)
def test_a_short_path_means_the_block_that_the_command_is_about(about: str, setting: str, line: str) -> None:
    sink = Sink()
    result = apply_overrides(Unit(parsed(TWO)), [setting], sink, about).source.text
    assert not sink.found
    assert changed_lines(TWO, result) == [line]


@pytest.mark.parametrize("about", [None, "M", "other"])
def test_a_short_path_that_the_command_does_not_settle_is_refused(about: str | None) -> None:
    sink = Sink()
    assert apply_overrides(Unit(parsed(TWO)), ["epochs=7"], sink, about).source.text == TWO
    assert [found.code for found in sink] == ["DL3082"]
