"""Diagnostics as people and programs see them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dslc.diagnostics import Diagnostic, Edit, Help, Label, Note
from dslc.diagnostics.render import render, to_json
from dslc.source import Source, Span

MESSAGES = (Path(__file__).parent / "messages.txt").read_text(encoding="utf-8").split("\n\n")


def text_of(name: str, lines: dict[int, str]) -> Source:
    """A source in which only some lines matter."""
    return Source(name, "\n".join(lines.get(number, "") for number in range(1, max(lines) + 1)) + "\n")


def at(source: Source, line: int, part: str, nth: int = 0) -> Span:
    """The place of the nth occurrence of a text in a line."""
    start = source.line_starts()[line - 1] - 1
    for _ in range(nth + 1):
        start = source.text.index(part, start + 1)
    return Span(source, start, start + len(part))


def inner_sizes() -> Diagnostic:
    source = text_of("models/ae.dl", {6: "  layer  enc = Dense(code)", 8: "  y = sigmoid(z @ enc.weight)"})
    weight = at(source, 8, "enc.weight")
    return Diagnostic(
        "DL2001",
        "inner sizes of `@` differ: 32 and 784",
        (
            Label(at(source, 8, "@"), "32 here must equal 784 here"),
            Label(at(source, 6, "Dense(code)"), "enc.weight is f32[784, 32]  (in, out)"),
            Label(at(source, 8, "z"), "f32[B, 32]"),
            Label(weight, "f32[784, 32]"),
        ),
        (
            Note("32 comes from `code = 32` (line 3); 784 comes from input `x` (line 4)"),
            Help("transpose the weight to get f32[B, 784]:", (Edit(weight, "transpose(enc.weight)"),)),
        ),
    )


def unknown_layer() -> Diagnostic:
    source = text_of("models/mlp.dl", {6: "  h      = x |> fc1: Dens(hidden) |> relu"})
    name = at(source, 6, "Dens")
    return Diagnostic(
        "DL1003",
        "there is no layer named `Dens`",
        (Label(name, "not a built-in layer, and no block or cell here has this name"),),
        (
            Help("did you mean `Dense`?", (Edit(name, "Dense"),)),
            Note("imported in this file: nothing. `dslc doc` lists all layers"),
        ),
    )


def float_ids() -> Diagnostic:
    source = text_of(
        "models/tagger.dl", {4: "  input  tokens: f32[B, T]", 6: "  y = tokens |> emb: Embedding(vocab, 8)"}
    )
    dtype = at(source, 4, "f32")
    return Diagnostic(
        "DL2010",
        "`Embedding` looks up integer ids, but `tokens` holds f32 values",
        (
            Label(at(source, 6, "Embedding(vocab, 8)"), "needs i32[...] or i64[...]"),
            Label(dtype, "declared f32 here"),
        ),
        (
            Help("declare the ids as integers:", (Edit(dtype, "i64"),)),
            Note(
                "`Embedding` accepts: (i32[...]) => f32[..., 8]   first argument is f32\n"
                "                     (i64[...]) => f32[..., 8]   first argument is f32"
            ),
        ),
    )


def unused_value() -> Diagnostic:
    source = text_of("models/net.dl", {7: "  side = x |> aux: Dense(512) |> relu"})
    lost = "its 401_920 parameters get no gradient and are left out of the ONNX file"
    return Diagnostic(
        "DL4001",
        "`side` is computed but no output or loss uses it",
        (Label(at(source, 7, "side"), "unused"), Label(at(source, 7, "aux: Dense(512)"), lost)),
        (Help("delete line 7, or rename it `_side` to keep it"),),
    )


def unknown_dimension() -> Diagnostic:
    source = text_of("models/reg.dl", {2: "dim B, T", 4: "  input  x: f32[B, Tt, 40]"})
    name = at(source, 4, "Tt")
    return Diagnostic(
        "DL1020",
        "dimension `Tt` is not declared",
        (Label(name, "not found"), Label(at(source, 2, "B, T"), "dimensions in scope: B, T")),
        (Help("did you mean `T`?", (Edit(name, "T"),)), Help("or declare a new one: dim B, T, Tt")),
    )


def cycle() -> Diagnostic:
    source = text_of(
        "models/rec.dl", {7: "  z = sigmoid(h |> gate: Dense(units))", 8: "  h = z * tanh(x |> inp: Dense(units))"}
    )
    return Diagnostic(
        "DL1030",
        "`z` is defined in terms of itself",
        (
            Label(at(source, 7, "z"), "1. `z` needs `h`"),
            Label(at(source, 7, "h"), ""),
            Label(at(source, 8, "h"), "2. `h` needs `z`, which closes the cycle"),
        ),
        (
            Note("definitions form a graph without cycles; a value may only use names defined above it"),
            Help(
                "for recurrence over time put this in a `cell` and read the previous step from `state`:",
                code=(
                    "cell Rec(units: int) { state h: f32[B, units] = zeros() ... next h = ... }",
                    "y = x |> scan(Rec(64))",
                ),
            ),
        ),
    )


@pytest.mark.parametrize("number", range(6))
def test_the_six_messages_of_the_design_are_printed_to_the_letter(number: int) -> None:
    made = [inner_sizes, unknown_layer, float_ids, unused_value, unknown_dimension, cycle][number]()
    printed = render([made], color=False)
    assert printed.rpartition("\n\n")[0] == MESSAGES[number].rstrip("\n")
