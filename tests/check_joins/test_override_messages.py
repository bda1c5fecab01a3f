"""The messages about a wrong `--set`, to the letter: `overrides.txt` holds one after the other."""

from __future__ import annotations

from pathlib import Path

from dslc.check.overrides import apply_overrides
from dslc.check.units import Unit
from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.source import Source
from dslc.syntax.parse import parse

GOLDEN = Path(__file__).parent / "overrides.txt"
PROGRAM = """\
model MLP(hidden: int = 128, act: string = "relu") { output y: f32[] }

train small { use net = MLP(); optimizer = adam() }
train large { use net = MLP(hidden = 1024) }
"""
SETTINGS = (
    "epochs",
    "small.epochs=",
    "small.epochs=5, 6",
    "small.epochs=(5",
    "smal.epochs=5",
    "small.epoch=5",
    "depth=5",
    "epochs=5",
    "hidden=5",
    "small.net.hidden=2.5",
    "small.net.act=tanh",
)


def test_messages_about_settings_are_as_written_down(update: bool) -> None:
    printed = ""
    for setting in SETTINGS:
        sink = Sink()
        apply_overrides(Unit(parse(Source("net.dl", PROGRAM), Sink())), [setting], sink)
        assert sink.failed, setting
        printed += render(sink, color=False) + "\n"
    if update:
        GOLDEN.write_text(printed, encoding="utf-8")
    assert printed == GOLDEN.read_text(encoding="utf-8")
