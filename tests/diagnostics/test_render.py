"""Diagnostics as people and programs see them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dslc.diagnostics import Diagnostic, Edit, Help, Label, Note
from dslc.diagnostics.mend import apply_edits, mended_lines
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


def printed(text: str, start: int, end: int, label: str = "here", **options: int) -> list[str]:
    """The lines of a message about a part of a text, from the source line on."""
    source = Source("x.dl", text)
    diagnostic = Diagnostic("DL0001", "wrong", (Label(Span(source, start, end), label),))
    return render([diagnostic], color=False, **options).split("\n")[3:5]


def test_tabs_and_wide_and_combining_characters_keep_the_underline_in_place() -> None:
    assert printed("\tx = y", 5, 6) == ["1 |     x = y", "  |         ^ here"]
    assert printed('a = "\u6df1\u5ea6" + y', 11, 12) == ['1 | a = "\u6df1\u5ea6" + y', "  |              ^ here"]
    assert printed("e\u0301 = y", 5, 6) == ["1 | e\u0301 = y", "  |     ^ here"]


def test_nothing_from_a_program_reaches_the_terminal_unescaped() -> None:
    text = "a\x1b[31m\u202e\u200b\x00 = b"
    source = Source("x\x1b[2J.dl", text)
    span = Span(source, len(text) - 1, len(text))
    diagnostic = Diagnostic(
        "DL0001",
        f"wrong {text}",
        (Label(span, f"label {text}"),),
        (Note(f"note {text}"), Help(f"help {text}", (Edit(span, f"c{text}"),), (text,))),
    )
    out = render([diagnostic], color=False)
    assert out.isascii()
    assert all(character.isprintable() or character == "\n" for character in out)
    assert "1 | a\\u{1b}[31m\\u{202e}\\u{200b}\\u{0} = b\n" in out
    assert out.split("\n")[4].index("^") == out.split("\n")[3].rindex("b")


def test_a_long_line_is_cut_around_its_label() -> None:
    text = "a = " + "b + " * 5000 + "HERE" + " + c" * 5000
    at = text.index("HERE")
    line, underline = printed(text, at, at + 4, width=100)
    assert len(line) <= 107
    assert line.startswith("1 | ...")
    assert line.endswith("...")
    assert underline[underline.index("^") :] == "^^^^ here"
    assert line[underline.index("^") : underline.index("^") + 4] == "HERE"


def test_a_mended_long_line_is_cut_around_the_edit() -> None:
    text = "a = " + "b + " * 5000 + "HERE" + " + c" * 5000
    at = text.index("HERE")
    span = Span(Source("x.dl", text), at, at + 4)
    out = render([Diagnostic("DL0001", "wrong", (Label(span),), (Help("so:", (Edit(span, "THERE"),)),))], color=False)
    assert "b + THERE + c" in out
    assert max(map(len, out.split("\n"))) < 170


def test_labels_of_several_files_have_an_excerpt_each() -> None:
    here = Source("a.dl", "x = Dense(3)\n")
    there = Source("lib/dense.dl", "one\nblock Dense\n")
    labels = (Label(Span(here, 4, 12), "used here"), Label(Span(there, 10, 15), "declared here"))
    assert render([Diagnostic("DL0001", "wrong", labels, (Note("a fact"),))], color=False) == (
        "error[DL0001]: wrong\n"
        " --> a.dl:1:5\n"
        "  |\n"
        "1 | x = Dense(3)\n"
        "  |     ^^^^^^^^ used here\n"
        "  |\n"
        " ::: lib/dense.dl:2:7\n"
        "  |\n"
        "2 | block Dense\n"
        "  |       ----- declared here\n"
        "  |\n"
        "  = note: a fact\n"
        "\n"
        "1 error\n"
    )


def test_three_labels_on_a_line_are_stacked_and_overlaps_stay_visible() -> None:
    source = Source("x.dl", "y = f(aa, bb, cc)\n")
    labels = (
        Label(Span(source, 10, 12), "second"),
        Label(Span(source, 6, 8), "first"),
        Label(Span(source, 14, 16), "third"),
        Label(Span(source, 4, 17), "all of it"),
    )
    rows = render([Diagnostic("DL0001", "wrong", labels)], color=False).split("\n")[4:8]
    assert rows == [
        "  |     ------^^----- third",
        "  |     | |   second",
        "  |     | first",
        "  |     all of it",
    ]


def test_a_label_over_several_lines_underlines_its_first() -> None:
    assert printed("a = (\n  b\n)", 4, 11) == ["1 | a = (", "  |     ^ here"]


def test_a_label_at_the_end_of_the_text_points_behind_it() -> None:
    assert printed("dim B", 5, 5) == ["1 | dim B", "  |      ^ here"]
    assert printed("dim B\n", 6, 6) == ["2 |", "  | ^ here"]


def test_the_gutter_is_as_wide_as_the_largest_number() -> None:
    source = Source("x.dl", "a\n" * 120)
    labels = (Label(Span(source, 2 * 99, 2 * 99 + 1)), Label(Span(source, 0, 1)))
    assert render([Diagnostic("DL0001", "wrong", labels)], color=False).split("\n")[1:7] == [
        "   --> x.dl:100:1",
        "    |",
        "  1 | a",
        "    | -",
        "...",
        "100 | a",
    ]


def test_messages_are_counted_and_a_message_about_no_text_names_its_subject() -> None:
    source = Source("x.dl", "a\n")
    warning = Diagnostic("DL4001", "unused", (Label(Span(source, 0, 1)),))
    error = Diagnostic("DL0001", "cannot read it", footers=(Note("a fact"),), where="runs/a")
    assert render([], color=False) == ""
    assert render([warning], color=False).endswith("\n\n1 warning\n")
    out = render([error, warning, error], color=False)
    assert out.endswith("\n\n2 errors, 1 warning\n")
    assert out.startswith("error[DL0001]: cannot read it\n --> runs/a\n  = note: a fact\n\nwarning[DL4001]")


def test_colour_changes_no_text() -> None:
    found = [inner_sizes(), unused_value(), cycle()]
    colored = render(found, color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(found, color=False)
    assert "\x1b[1;31merror[DL2001]\x1b[0m" in colored
    assert "\x1b[1;33mwarning[DL4001]\x1b[0m" in colored


def test_edits_on_distant_lines_are_shown_with_a_gap() -> None:
    source = Source("x.dl", "a = 1\nb = 2\nc = 3\nd = 4\n")
    edits = (Edit(Span(source, 4, 5), "9"), Edit(Span(source, 22, 23), "8"), Edit(Span(source, 24, 24), "e = 5\n"))
    assert mended_lines(edits, 80) == ["a = 9", "...", "d = 8", "e = 5"]
    assert apply_edits(source.text, edits) == "a = 9\nb = 2\nc = 3\nd = 8\ne = 5\n"


def test_plain_data_has_places_and_edits_a_tool_can_make() -> None:
    (data,) = to_json([inner_sizes()])
    assert json.loads(json.dumps(data)) == data
    assert {key: data[key] for key in ("code", "severity", "message", "file")} == {
        "code": "DL2001",
        "severity": "error",
        "message": "inner sizes of `@` differ: 32 and 784",
        "file": "models/ae.dl",
    }
    assert data["span"]["start"]["line"] == 8
    assert data["span"]["start"]["column"] == 17
    assert [label["primary"] for label in data["labels"]] == [True, False, False, False]
    assert data["notes"] == ["32 comes from `code = 32` (line 3); 784 comes from input `x` (line 4)"]
    (help_,) = data["helps"]
    (edit,) = help_["edits"]
    source = inner_sizes().labels[0].span.source
    start, end = edit["span"]["start"]["offset"], edit["span"]["end"]["offset"]
    assert source.text[start:end] == "enc.weight"
    assert edit["text"] == "transpose(enc.weight)"


def test_plain_data_of_a_message_about_no_text_names_its_subject() -> None:
    (data,) = to_json([Diagnostic("DL0001", "cannot read it", where="runs/a")])
    assert (data["file"], data["span"], data["labels"]) == ("runs/a", None, [])
