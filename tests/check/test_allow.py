"""Comments that allow a lint for a statement."""

from __future__ import annotations

import pytest

from dslc.check import check_source
from dslc.diagnostics import CODES, Severity
from dslc.source import Source

PROGRAM = """\
dim B

model Net {{
  input  x: f32[B, 4]
  output y: f32[B, 2]
  y = x |> fc: Dense(2)
{lines}
}}
"""


def codes(*lines: str) -> list[str]:
    source = Source("m.dl", PROGRAM.format(lines="\n".join(lines)))
    return [d.code for d in check_source(source)[1]]


@pytest.mark.parametrize(
    "lines",
    [
        ("  side = x * 2  # allow: unused-value",),
        ("  # allow: unused-value", "  side = x * 2"),
        ("  # allow: unused-value", "  # It is there to be looked at.", "  side = x * 2"),
        ("  # allow: unused-name, unused-value", "  side = x", "    |> long: Dense(7)"),
        ("  side = x  # allow: unused-value", "    |> long: Dense(7)"),
    ],
)
def test_a_comment_allows_a_lint_for_its_statement(lines: tuple[str, ...]) -> None:
    assert codes(*lines) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("  side = x * 2  # allow: unused-layer",),
        ("  # allow: unused-value", "", "  side = x * 2"),
        ("  side = x * 2", "  # allow: unused-value"),
        ('  require true, "# allow: unused-value"; side = x * 2',),
        ("  side = x * 2  # do not allow: unused-value",),
    ],
)
def test_it_allows_nothing_else(lines: tuple[str, ...]) -> None:
    assert codes(*lines) == ["DL4001"]


def test_one_statement_allows_nothing_for_the_next() -> None:
    assert codes("  a = x * 2  # allow: unused-value", "  b = x * 3") == ["DL4001"]


def test_an_unknown_lint_is_a_lint_and_can_be_allowed_itself() -> None:
    assert codes("  _a = x * 2  # allow: unused-valu") == ["DL4030"]
    assert codes("  _a = x * 2  # allow: unused-valu, unknown-lint") == []


def test_errors_are_never_allowed() -> None:
    assert codes("  _a = rleu(x)  # allow: unused-value") == ["DL1004"]


def test_every_warning_has_the_name_of_a_lint() -> None:
    names = [entry.lint for entry in CODES.values() if entry.severity is Severity.WARNING]
    assert all(names)
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and "_" not in name for name in names)


def test_comments_above_a_line_mean_that_line_however_many_they_are() -> None:
    above = ["  # allow: unused-value", "  # why", "  # allow: unused-value"] * 3_000
    assert codes(*above, "  a = x", "  b = x") == ["DL4001"]
    assert codes("  # allow: unused-value", "  a = x  # allow: unused-layer", "  b = x  # allow: unused-value") == []
