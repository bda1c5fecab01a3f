"""Proposed edits: each one that a message carries can be made by a tool, and then the message is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dslc.check import check_source
from dslc.diagnostics import Diagnostic, Help
from dslc.diagnostics.mend import apply_edits
from dslc.diagnostics.render import to_json
from dslc.driver.importing import ImportedFiles
from dslc.source import Source

HERE = Path(__file__).parent
CASES = sorted([*HERE.glob("*/*.dl"), *HERE.glob("*/*/main.dl")])


def found(text: str, path: Path) -> list[Diagnostic]:
    source = Source(path.relative_to(HERE).as_posix(), text, path)
    return list(check_source(source, ImportedFiles(source))[1])


def helps(diagnostic: Diagnostic) -> Iterator[Help]:
    """The helps with edits."""
    return (footer for footer in diagnostic.footers if isinstance(footer, Help) and footer.edits)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.relative_to(HERE).with_suffix("").as_posix())
def test_every_edit_mends_its_mistake(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before = found(text, path)
    told = [(d.code, d.message) for d in before]
    for diagnostic in before:
        for help_ in helps(diagnostic):
            if help_.edits[0].span.source.path != path:
                continue  # it mends a file that the program imports
            mended = apply_edits(text, help_.edits)
            left = [(d.code, d.message) for d in found(mended, path)]
            same = (diagnostic.code, diagnostic.message)
            assert left.count(same) < told.count(same), f"{help_.text}\n{mended}"


@pytest.mark.parametrize("name", ["syntax/commas_behind_settings", "names/size_of_the_input_first"])
def test_mends_that_are_all_made_leave_a_program_without_mistakes(name: str) -> None:
    path = HERE / f"{name}.dl"
    text = path.read_text(encoding="utf-8")
    edits = [edit for diagnostic in found(text, path) for help_ in helps(diagnostic) for edit in help_.edits]
    assert [d.message for d in found(apply_edits(text, edits), path)] == []


def test_the_offsets_of_the_plain_form_are_those_of_the_edits() -> None:
    path = HERE / "names" / "unknown_layer.dl"
    text = path.read_text(encoding="utf-8")
    (diagnostic, *_) = found(text, path)
    (plain, *_) = to_json([diagnostic])
    mended = text
    for help_ in plain["helps"]:
        assert help_["applicable"] == bool(help_["edits"])
        for edit in help_["edits"]:
            start, end = (edit["span"][side]["offset"] for side in ("start", "end"))
            mended = mended[:start] + edit["text"] + mended[end:]
    assert diagnostic.message not in [d.message for d in found(mended, path)]


def test_edits_that_need_the_users_own_values_say_so() -> None:
    path = HERE / "names" / "layer_without_call.dl"
    told = [help_ for d in found(path.read_text(encoding="utf-8"), path) for help_ in helps(d)]
    assert {help_.applicable for help_ in told if "your own values" in help_.text} == {False}
    assert {help_.applicable for help_ in told if "your own values" not in help_.text} == {True}
