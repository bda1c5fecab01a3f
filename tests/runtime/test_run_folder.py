"""The run's folder, its history and its report."""

from __future__ import annotations

import html.parser
import json
import re
from pathlib import Path

import numpy as np
import pytest

from dslc_runtime import checkpoint, threads
from dslc_runtime.classification import class_report, confusion_matrix
from dslc_runtime.curves import Curve, chart, round_ticks, whole_ticks
from dslc_runtime.errors import RuntimeFault, listed, near_name
from dslc_runtime.history import read_history
from dslc_runtime.report import report, write_report
from dslc_runtime.run_folder import RunFolder, create_run, machine, open_run

ROWS = [
    {
        "epoch": i,
        "step": 10 * i,
        "loss": 1 / i,
        "acc": 0.1 * i,
        "val.loss": 1.1 / i,
        "val.acc": 0.09 * i,
        "lr": 0.1,
        "seconds": 1.0,
    }
    for i in range(1, 6)
]


def test_a_run_folder_is_found_again(tmp_path: Path) -> None:
    create_run(tmp_path / "runs" / "a", "model M {}", {"seed": 1, **machine()})
    run = open_run(tmp_path / "runs" / "a")
    about = run.read_about()
    assert about["format_version"] == 1
    assert about["numpy"] == np.__version__
    assert run.config.read_text() == "model M {}"


def test_a_new_run_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    run = create_run(tmp_path, "", {})
    checkpoint.save(run.model, "weights", {"w": np.zeros(3)}, {})
    (tmp_path / ".model.safetensors.77.tmp").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    create_run(tmp_path, "", {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.dl", "notes.txt", "run.json"]


@pytest.mark.parametrize(
    ("text", "code"),
    [(None, "DL5024"), ("{", "DL5024"), ("[]", "DL5024"), ("{}", "DL5024"), ('{"format_version": 9}', "DL5022")],
)
def test_a_folder_without_a_readable_run_is_a_fault(tmp_path: Path, text: str | None, code: str) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(RuntimeFault, match=code):
        open_run(tmp_path)


def test_a_place_where_no_folder_can_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeFault, match="DL5023"):
        create_run(tmp_path / "file" / "run", "", {})


@pytest.mark.parametrize("text", ["x\n", "[1]\n", '{"loss": 1}\n', '{"epoch": "1"}\n'])
def test_a_history_that_is_none_is_a_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.jsonl").write_text(text)
    with pytest.raises(RuntimeFault, match="DL5024"):
        read_history(RunFolder(tmp_path).history)


class Balanced(html.parser.HTMLParser):
    VOID = ("meta", "line", "circle", "polyline", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> Balanced:
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def test_the_report_shows_curves_table_and_settings(tmp_path: Path) -> None:
    run = create_run(tmp_path, "", {})
    write_report(
        run, "digits", ROWS, 5, {"seed": 7, "threads": [{"library": "openblas", "threads": 1}], "device": None}
    )
    page = run.report.read_text("utf-8")
    found = parsed(page)
    assert page.count("<polyline") == 4
    assert page.count("<figure>") == 2
    assert "5 epochs in 5.0 s, the weights of epoch 5 are kept" in found.text
    assert "library openblas, threads 1" in found.text
    assert "0.45" in found.text  # val.acc of the best epoch


def test_the_report_stands_alone_and_runs_nothing() -> None:
    page = report("x", ROWS, 1, {})
    assert not re.search(r"(src|href)\s*=|@import|url\(", page)
    assert "<script" not in page


def test_names_of_strangers_cannot_reach_the_page_as_markup() -> None:
    evil = '"><script>alert(1)</script>\u202e\x1b[31m'
    rows = [{"epoch": 1, "step": 1, "loss": 0.5, evil: 0.25, "lr": 0.1, "seconds": 1.0}]
    page = report(evil, rows, 1, {evil: evil, "n": {evil: evil}, "l": [evil]})
    assert "script" not in parsed(page).seen
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "alert(1)" in parsed(page).text


def test_a_report_of_nothing_and_of_missing_values_is_whole() -> None:
    assert "no epoch was finished" in parsed(report("x", [], 0, {})).text
    rows = [
        {"epoch": i, "step": i, "loss": None if i == 2 else float("nan") if i == 3 else 0.5, "lr": 1.0, "seconds": None}
        for i in range(1, 7)
    ]
    page = report("x", rows, 0, {})
    assert page.count("<circle") == 1  # epoch 1 alone
    assert page.count("<polyline") == 1  # epochs 4 to 6
    parsed(page)
    parsed(report("x", rows[1:3], 0, {}))


def test_a_long_training_gives_a_small_page() -> None:
    rows = [{**ROWS[0], "epoch": i} for i in range(1, 20_001)]
    assert len(report("x", rows, 7, {})) < 300_000


def test_a_changing_learning_rate_is_drawn() -> None:
    rows = [{**row, "lr": 0.1 / row["epoch"]} for row in ROWS]
    assert "learning rate" in report("x", rows, 1, {})
    assert "learning rate" not in report("x", ROWS, 1, {})


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (0.93, 0.97), (-3.0, 12.0), (5.0, 5.0), (0.0, 0.0), (1e-12, 3e-12), (-1e9, 1e9)]
)
def test_ticks_are_round_and_cover_the_values(low: float, high: float) -> None:
    ticks = round_ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 2 <= len(ticks) <= 9
    assert all(len(f"{abs(tick):.10e}".split("e")[0].rstrip("0").rstrip(".")) <= 5 for tick in ticks)


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 2), (1, 5), (1, 20), (3, 500), (1, 20_000)])
def test_epoch_ticks_are_whole_and_in_range(first: int, last: int) -> None:
    ticks = whole_ticks(first, last)
    assert ticks[0] == first
    assert ticks == sorted(set(ticks))
    assert all(first <= tick <= last for tick in ticks)
    assert len(ticks) <= 8


def test_a_chart_stays_inside_its_box() -> None:
    svg = chart([Curve("training", "train", tuple((i, (-1.0) ** i * i) for i in range(1, 30)))], 3)
    for x, y in re.findall(r"([\d.]+),([\d.]+)", svg):
        assert 0 <= float(x) <= 460
        assert 0 <= float(y) <= 230


def test_class_scores_are_those_of_the_definition() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    called = np.array([0, 0, 1, 1, 0, 0])
    found = class_report(truth, called, 4)
    assert found.confusion.tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert found.accuracy == 0.5
    first, second, third, fourth = found.classes
    assert (first.precision, first.recall, first.support) == (0.5, 2 / 3, 3)
    assert np.isclose(first.f1, 2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))
    assert (second.precision, second.recall, second.f1) == (0.5, 0.5, 0.5)
    assert (third.precision, third.recall, third.f1, third.support) == (0, 0, 0, 1)
    assert (fourth.f1, fourth.support) == (0, 0)
    assert np.isclose(found.macro_f1, (first.f1 + 0.5) / 3)  # the last class does not occur


def test_a_confusion_matrix_counts_every_row_once() -> None:
    source = np.random.default_rng(1)
    truth, called = source.integers(0, 5, 1000), source.integers(0, 5, 1000)
    matrix = confusion_matrix(truth, called, 5)
    assert matrix.sum() == 1000
    assert matrix[2, 3] == np.count_nonzero((truth == 2) & (called == 3))
    assert np.trace(matrix) == np.count_nonzero(truth == called)


def test_threads_are_set_inside_and_put_back() -> None:
    before = threads.describe()
    with threads.limited(1):
        assert all(pool["threads"] == 1 for pool in threads.describe())
    assert threads.describe() == before
    assert threads.default_threads(1e3) == 1
    assert threads.default_threads(1e9) == threads.usable_cores() >= 1
    assert json.dumps(before)


def test_near_names_and_lists() -> None:
    assert near_name("lable", ["label", "image"]) == "did you mean `label`?"
    assert near_name("zzz", ["label"]) == ""
    assert near_name("a", ["b", "A"]) == "did you mean `A`?"
    assert listed([]) == "none"
    assert listed("abc", 2) == "`a`, `b` and 1 more"
