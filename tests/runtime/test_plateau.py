"""Rates that follow a score: the loop uses what they are cut to, writes it down, and goes on from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from regression import make_job

from dslc_runtime import checkpoint
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.loop import Job, train
from dslc_runtime.plateau import Level, Plateau
from dslc_runtime.run_folder import RunFolder, create_run


def job(epochs: int) -> Job:
    """A rate that is halved after every second epoch that is not a tenth better."""
    rule = Plateau("val.loss", True, 1, 0.1, True, 0, 0, float("inf"), lambda cuts: lambda _: 0.03 * 0.5**cuts)
    return make_job(epochs=epochs, rate=rule.rates(0), plateau=rule)


def run(path: Path) -> RunFolder:
    return create_run(path, "model M {}", {"seed": 3})


def test_steps_after_a_cut_have_the_new_rate(tmp_path: Path):
    result = train(job(20))
    rates = [row["lr"] for row in result.history]
    assert rates[0] == 0.03
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) > 2
    cut = rates.index(0.015)
    kept = train(make_job(epochs=cut + 1, rate=lambda _: 0.03)).history
    assert [row["loss"] for row in kept[:cut]] == [row["loss"] for row in result.history[:cut]]
    assert kept[cut]["loss"] != result.history[cut]["loss"]


def test_a_resumed_training_goes_on_waiting_where_it_was(tmp_path: Path):
    whole, parts = run(tmp_path / "whole"), run(tmp_path / "parts")
    wanted = train(job(20), whole)
    for epochs in (3, 4, 9, 20):
        found = train(job(epochs), parts, resume=parts.last.exists())
    assert parts.last.read_bytes() == whole.last.read_bytes()
    assert [row["lr"] for row in found.history] == [row["lr"] for row in wanted.history]
    assert found.progress.levels[""].cuts > 2


def test_levels_are_saved_as_they_are(tmp_path: Path):
    folder = run(tmp_path / "run")
    level = train(job(5), folder).progress.levels[""]
    saved = checkpoint.load(folder.last).facts["levels"]
    assert Level(**saved[""]) == level
    assert level.best is not None


def test_malformed_levels_are_refused(tmp_path: Path):
    folder = run(tmp_path / "run")
    train(job(2), folder)
    saved = checkpoint.load(folder.last)
    checkpoint.save(folder.last, saved.kind, saved.tensors, {**saved.facts, "levels": {"": {"cuts": "many"}}})
    with pytest.raises(RuntimeFault, match="does not say where the training stands"):
        train(job(3), folder, resume=True)
