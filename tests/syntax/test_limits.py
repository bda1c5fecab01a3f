"""Hostile texts end in a diagnostic, soon and in little memory."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from dslc.diagnostics import Sink
from dslc.diagnostics.render import render
from dslc.source import Source
from dslc.syntax import limits
from dslc.syntax.parse import parse


def model(value: str) -> str:
    return f"model M {{\n  y = {value}\n}}\n"


LINE = limits.LINE_CHARACTERS - 100
HOSTILE = {
    "a sum": (model(" + ".join(["x"] * 20_000)), "DL0030"),
    "parentheses": (model("(" * LINE), "DL0030"),
    "brackets that close": (model("[" * 5000 + "]" * 5000), "DL0030"),
    "blocks": ("model M {\n" + "if c {\n" * 5000, "DL0030"),
    "else ifs": ("model M {\n if c { x = 1 }" + " else if c { x = 1 }" * 4000 + "\n}\n", "DL0030"),
    "nots": (model("not " * 20_000 + "x"), "DL0030"),
    "powers": (model("x**" * 20_000 + "x"), "DL0030"),
    "calls": (model("x" + "()" * 20_000), "DL0030"),
    "choices": (model("if c then a else " * 5000 + "x"), "DL0030"),
    "a list": (model("[" + "1," * 40_000 + "]"), "DL0033"),
    "lists": (model("[" + "[1]," * 20_000 + "]"), "DL0033"),
    "a pipe": (model("x" + " |> f" * 15_000), "DL0033"),
    "a number": (model("9" * LINE), "DL0032"),
    "a name": (model("a" * LINE), "DL0032"),
    "a string": (model('"' + "a" * LINE + '"'), "DL0032"),
    "escapes": (model('"' + "\\q" * (LINE // 2) + '"'), "DL0032"),
    "an exponent": (model("1e999999"), "DL0005"),
    "a line": ("a" * (limits.LINE_CHARACTERS + 1), "DL0031"),
    "a file": ("\n" * (limits.FILE_CHARACTERS + 1), "DL0031"),
    "tokens": ("model M {\n" + "a = 1\n" * 60_000, "DL0031"),
    "closers": (")" * LINE, "DL0007"),
    "quotes": ("'" * LINE, "DL0008"),
    "double quotes": ('"' * LINE, "DL0008"),
    "signs": ("$ a " * 20_000, "DL0003"),
    "bidirectional controls": ("\u202e" * LINE, "DL0003"),
    "zeros": ("\0" * LINE, "DL0003"),
    "letters": ("\u5b57" * LINE, "DL0003"),
    "unclosed calls": ("model M {\n" + "  a = f(\n  input x\n" * 10_000, "DL0006"),
    "unclosed models": ("model A {\n" * 10_000, "DL0006"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_ends_in_a_coded_diagnostic(name: str) -> None:
    text, code = HOSTILE[name]
    sink = Sink()
    started = time.process_time()
    parse(Source("x.dl", text), sink)
    printed = render(sink, color=False)
    assert time.process_time() - started < 4  # a quiet machine takes less than one second for the worst of them
    assert code in [d.code for d in sink]
    assert len(sink.found) <= limits.ERRORS + 2
    assert len(printed) < 20_000


@pytest.mark.parametrize("name", ["escapes", "a list", "tokens", "letters"])
def test_a_hostile_text_takes_little_memory(name: str) -> None:
    tracemalloc.start()
    parse(Source("x.dl", HOSTILE[name][0]), Sink())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 128_000_000


def test_what_is_within_the_limits_is_accepted() -> None:
    texts = [
        model(" + ".join(["x"] * limits.TREE_DEPTH)),
        model("(" * 60 + "x" + ")" * 60),
        model("[" + "1," * limits.LIST_ITEMS + "]"),
        model("x" + " |> f" * 5000),
        model('"' + "a" * (limits.STRING_CHARACTERS - 2) + '"'),
        "model M {\n" + "  a = 1\n" * 20_000 + "}\n",
    ]
    for text in texts:
        sink = Sink()
        file = parse(Source("x.dl", text), sink)
        assert not list(sink)
        assert len(file.decls) == 1


def test_time_grows_with_the_text_and_not_with_its_square() -> None:
    """Ten times the statements take about ten times as long; a square would take a hundred."""

    def seconds(statements: int) -> float:
        text = "model M {\n" + "  a = f(x, [1, 2, 3])\n" * statements + "}\n"
        started = time.process_time()
        parse(Source("x.dl", text), Sink())
        return time.process_time() - started

    seconds(100)
    assert seconds(5000) < 40 * max(seconds(500), 0.005)
