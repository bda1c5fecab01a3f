"""What a user reads who asks for something that cannot be: each request's whole message is `messages/NAME.txt`.

`pytest tests/cli --update` writes them down. Together with the messages of bad programs they cover every code there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from toy import LOOKUP, TOY, arrays, write

from dslc.cli.commands import commands
from dslc.diagnostics import CODES

HERE = Path(__file__).parent
TESTS = HERE.parent

TWO = "dim B\nmodel A { input x: f32[B]; output y: f32[B] = x }\nmodel C { input x: f32[B]; output y: f32[B] = x }\n"

#: Codes whose making takes more than a command: the test that makes them.
ELSEWHERE = {
    "DL1080": "api/test_models.py",
    "DL5009": "runtime/test_data.py",
    "DL5031": "runtime/test_loop.py",
    "DL5041": "api/test_models.py",
    "DL5042": "api/test_models.py",
    "DL5051": "driver/test_golden.py",
    "DL5090": "runtime/test_workers.py",
    "DL6001": "cli/test_using.py",
    "DL6002": "cli/test_using.py",
    "DL6003": "onnx/test_export.py",
    "DL6004": "onnx/test_export.py",
    "DL6005": "onnx/test_export.py",
    "DL6006": "api/test_trainers.py",
}


def data(**columns: np.ndarray) -> Callable[[], None]:
    """Replace columns of the toy's data."""
    return lambda: np.savez("toy.npz", **(arrays() | columns))  # type: ignore[arg-type]


def text(name: str, content: str) -> Callable[[], object]:
    return lambda: write(Path(), name, content)


def nothing() -> None:
    """The toy program, its data and its run are enough."""


def damaged() -> None:
    Path("run/model.safetensors").write_bytes(b"not a checkpoint")


def newer() -> None:
    about = Path("run/run.json")
    about.write_text(about.read_text("utf-8").replace('"format_version": 1', '"format_version": 99'), "utf-8")


def wider() -> None:
    config = Path("run/config.dl")
    config.write_text(config.read_text("utf-8").replace("hidden: int = 4", "hidden: int = 5"), "utf-8")


def chain() -> None:
    """Forty files, each importing the next."""
    for number in range(40):
        block = f"block B{number} {{\n  input x: f32[2]\n  output y: f32[2] = x\n}}\n"
        write(Path(), f"b{number}.dl", f'from "b{number + 1}.dl" import B{number + 1}\n{block}')


def starting(path: str) -> str:
    """The toy program, which starts from other weights."""
    return re.sub(r"use net( *)= Toy\(", rf'use net\1= Toy(init = weights("{path}"), ', TOY).replace(", )", ")")


FROM_FILE = re.sub(r"inline\(.*\)", 'npz("toy.npz", ids = "ids", t = "t")', LOOKUP)


def looked_up() -> None:
    """A run that looks ids up in a table of five rows, and rows with an id beyond it."""
    path = write(Path(), "lookup.dl", LOOKUP)
    assert CliRunner().invoke(commands, ["train", str(path), "--out", "r", "-q"]).exit_code == 0
    write(Path(), "rows.json", '{"ids": [0, 5]}')


TABLE = """
## 40 measurements of the toy: ask whoever made it.
data table {
  source = { train: csv("t.csv"), test: csv("u.csv") }
  field x: f32[2]   = source["a":"b"]
  field kind: i64[] = classes(source["kind"])
}
"""
ARRAYS = TABLE.replace('csv("t.csv")', 'npz("toy.npz", a = "y", b = "y", kind = "x")').replace(
    ', test: csv("u.csv")', ""
)
SERIES = 'data s {\n  source = csv("t.csv")\n  field x: f32[2] = window(source["a"], length = 2)\n}\n'
LEARNS = TOY.replace('source["x"] / 10', 'standardize(source["x"])')


def table(content: str | bytes, program: str = TABLE) -> Callable[[], None]:
    """A program that reads a table, and this table for training."""

    def prepare() -> None:
        write(Path(), "table.dl", program)
        Path("t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        Path("u.csv").write_text("a,b,kind\n3,4,cat\n5,6,dgo\n", "utf-8")

    return prepare


def forgotten() -> None:
    """A run whose fields learned something that is gone."""
    path = write(Path(), "learns.dl", LEARNS)
    assert CliRunner().invoke(commands, ["train", str(path), "--out", "r", "-q"]).exit_code == 0
    Path("r/fields.json").unlink()


NUMBERS = np.arange(20, dtype=np.float32)

#: name -> what is prepared in the folder of the toy and its run, and the command.
REQUESTS: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "no_such_program": (nothing, ("check", "absent.dl")),
    "ending_forgotten": (nothing, ("check", "toy")),
    "not_utf8": (lambda: Path("latin.dl").write_bytes(b"# caf\xe9\n"), ("check", "latin.dl")),
    "no_such_code": (nothing, ("explain", "DL9001")),
    "no_such_declaration": (nothing, ("check", "toy.dl:Toi")),
    "no_such_train_block": (nothing, ("train", "toy.dl:tory")),
    "several_models": (text("two.dl", TWO), ("info", "two.dl")),
    "no_model": (text("empty.dl", "dim B\n"), ("info", "empty.dl")),
    "model_that_is_a_train_block": (nothing, ("compile", "toy.dl:toy", "-o", "toy.onnx")),
    "train_block_that_is_a_model": (nothing, ("compile", "toy.dl:Toy", "-o", "step.py")),
    "model_that_is_a_data_block": (nothing, ("compile", "toy.dl:points", "--emit", "graph")),
    "model_to_train": (nothing, ("train", "toy.dl:Toy")),
    "nothing_written_to_this_ending": (nothing, ("compile", "toy.dl", "-o", "toy.foo")),
    "script_of_scores": (
        text("watched.dl", TOY.replace("adam(lr = 0.05)", 'adam(lr = 0.05 |> plateau(on = "loss"))')),
        ("compile", "watched.dl", "-o", "step.py"),
    ),
    "imports_forty_deep": (chain, ("check", "b0.dl")),
    "no_data_to_replace": (text("lookup.dl", LOOKUP), ("train", "lookup.dl", "--data", "other.npz")),
    "setting_without_value": (nothing, ("check", "toy.dl", "--set", "hidden")),
    "setting_misspelt": (nothing, ("check", "toy.dl", "--set", "hiden=3")),
    "setting_misspelt_below": (nothing, ("check", "toy.dl", "--set", "train.toy.optimizer.rl=3")),
    "setting_of_two_places": (
        text("two.dl", TOY.replace("train toy", "train other") + TOY[TOY.index("train toy") : TOY.index("test ")]),
        ("check", "two.dl", "--set", "epochs=3"),
    ),
    "setting_of_another_kind": (nothing, ("check", "toy.dl", "--set", "hidden=four")),
    "setting_of_a_fraction": (nothing, ("check", "toy.dl", "--set", "train.toy.epochs=1.5")),
    "data_missing": (lambda: Path("toy.npz").unlink(), ("train", "toy.dl")),
    "data_moved": (lambda: Path("toy.npz").rename("toys.npz"), ("train", "toy.dl")),
    "data_damaged": (lambda: Path("toy.npz").write_bytes(b"PK but no archive"), ("train", "toy.dl")),
    "column_missing": (lambda: np.savez("toy.npz", xs=NUMBERS, y=NUMBERS, tx=NUMBERS, ty=NUMBERS), ("train", "toy.dl")),
    "column_of_text": (data(x=np.array([["a", "b", "c"]] * 40)), ("train", "toy.dl")),
    "column_of_fractions": (data(y=np.full(40, 0.5)), ("train", "toy.dl")),
    "columns_of_other_lengths": (data(x=np.zeros((39, 3), np.float32)), ("train", "toy.dl")),
    "value_not_finite": (data(x=np.full((40, 3), np.nan, np.float32)), ("train", "toy.dl")),
    "whole_number_too_small_for_its_field": (
        text("narrow.dl", TOY.replace("  split", '  field _low: u8[] = source["y"] - 1\n  split')),
        ("check", "narrow.dl", "--data"),
    ),
    "class_beyond_the_logits": (data(y=np.full(40, 3)), ("train", "toy.dl")),
    "no_rows": (
        data(x=np.zeros((0, 3), np.float32), y=np.zeros(0, np.int64)),
        ("train", "toy.dl", "--set", "data.points.split.val=0.5"),
    ),
    "table_missing": (text("table.dl", TABLE), ("check", "table.dl", "--data")),
    "table_of_ragged_rows": (table("a,b,kind\n1;2;cat\n"), ("check", "table.dl", "--data")),
    "table_without_a_value": (table("a,b,kind\n1,2,cat\n3,NA,dog\n"), ("check", "table.dl", "--data")),
    "table_with_a_word": (table("a,b,kind\n1,2,cat\n3,four,dog\n"), ("check", "table.dl", "--data")),
    "table_in_another_encoding": (table(b"a,b,kind\n1,2,caf\xe9\n"), ("check", "table.dl", "--data")),
    "table_with_an_unknown_label": (table("a,b,kind\n1,2,cat\n3,4,dog\n"), ("check", "table.dl", "--data")),
    "table_in_another_order": (table("b,a,kind\n1,2,cat\n"), ("check", "table.dl", "--data")),
    "table_of_truths_and_numbers": (table("a,b,kind\n1,true,cat\n"), ("check", "table.dl", "--data")),
    "labels_of_fractions": (table("", ARRAYS), ("check", "table.dl", "--data")),
    "series_shorter_than_a_window": (table("a\n1\n", SERIES), ("check", "table.dl", "--data")),
    "run_without_what_was_learned": (forgotten, ("eval", "r")),
    "no_such_part": (nothing, ("eval", "run", "--split", "holdout")),
    "weights_damaged": (damaged, ("eval", "run")),
    "weights_of_another_model": (wider, ("eval", "run")),
    "run_of_a_newer_version": (newer, ("eval", "run")),
    "run_where_none_can_be": (nothing, ("train", "toy.dl", "--out", "toy.npz/run")),
    "no_run_here": (nothing, ("eval", ".")),
    "resumed_with_another_seed": (nothing, ("train", "toy.dl", "--out", "run", "--resume", "--seed", "5")),
    "run_there_already": (nothing, ("train", "toy.dl", "--out", "run")),
    "loss_not_finite": (
        text("toy.dl", TOY.replace("loss      = ", "loss      = log(-1 - mean(square(net.logits))) + ")),
        ("train", "toy.dl", "--out", "r"),
    ),
    "input_of_another_width": (
        lambda: np.savez("wide.npz", x=np.zeros((2, 5), np.float32)),
        ("predict", "run", "--input", "wide.npz", "--raw"),
    ),
    "input_missing": (nothing, ("predict", "run", "--input", "absent.csv")),
    "input_of_another_kind": (text("rows.txt", "1 2 3"), ("predict", "run", "--input", "rows.txt")),
    "input_without_a_column": (text("rows.csv", "a,b,c\n1,2,3\n"), ("predict", "run", "--input", "rows.csv")),
    "id_beyond_a_table": (
        lambda: (
            np.savez("toy.npz", ids=np.arange(6), t=np.zeros((6, 2), np.float32)) or write(Path(), "ids.dl", FROM_FILE)
        ),
        ("train", "ids.dl", "--out", "r"),
    ),
    "id_beyond_a_table_to_predict": (looked_up, ("predict", "r", "--input", "rows.json", "--raw")),
    "expectation_not_met": (
        text("toy.dl", TOY.replace("expect train.loss < 1.5", "expect params(net) == 30")),
        ("test", "toy.dl", "-k", "learns"),
    ),
    "golden_missing": (
        text("toy.dl", TOY.replace("expect train.loss < 1.5", 'expect net.logits ~= golden("golden/toy.json")')),
        ("test", "toy.dl", "-k", "learns"),
    ),
    "no_weights_to_start_from": (text("on.dl", starting("absent")), ("train", "on.dl", "--out", "r")),
    "weights_to_start_from_of_another_program": (
        text("on.dl", starting("run").replace("fc1:", "first:")),
        ("train", "on.dl", "--out", "r"),
    ),
    "weights_to_start_from_of_another_size": (
        text("on.dl", starting("run").replace("hidden: int = 4", "hidden: int = 5")),
        ("train", "on.dl", "--out", "r"),
    ),
    "opset_of_another_time": (nothing, ("export", "run", "-o", "toy.onnx", "--opset", "9")),
    "more_memory_than_allowed": (nothing, ("train", "toy.dl", "--memory", "1500", "--out", "r")),
    "less_memory_than_any_batch_takes": (nothing, ("train", "toy.dl", "--memory", "500", "--out", "r")),
    "nothing_to_document": (nothing, ("doc", "sofmax")),
    "size_that_is_none": (nothing, ("info", "toy.dl", "--sizes", "C=3")),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_at_fault_gets_its_message(dslc, toy: Path, run: Path, name: str, update: bool) -> None:
    prepare, command = REQUESTS[name]
    prepare()
    result = dslc(*command)
    golden = HERE / "messages" / f"{name}.txt"
    printed = result.stderr.replace(str(Path().resolve()), "FOLDER")
    if update:
        golden.write_text(printed, encoding="utf-8")
    assert result.exit_code == 1
    assert printed == golden.read_text(encoding="utf-8")


def test_every_message_belongs_to_a_request() -> None:
    assert {path.stem for path in (HERE / "messages").glob("*.txt")} == set(REQUESTS)


def test_every_code_has_a_message_of_its_own() -> None:
    printed = {code for path in TESTS.rglob("*.txt") for code in _codes(path.read_text(encoding="utf-8"))}
    assert printed | set(ELSEWHERE) == set(CODES)


@pytest.mark.parametrize(("code", "path"), list(ELSEWHERE.items()), ids=list(ELSEWHERE))
def test_the_other_codes_are_made_elsewhere(code: str, path: str) -> None:
    assert code in (TESTS / path).read_text(encoding="utf-8")


def _codes(text: str) -> list[str]:
    return re.findall(r"^(?:error|warning)\[(\w+)\]", text, re.MULTILINE)
