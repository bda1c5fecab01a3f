"""Programs with mistakes: `FAMILY/NAME.dl` is checked, and what is printed must be `FAMILY/NAME.txt`.

A program of several files is a folder, `FAMILY/NAME/`, of which `main.dl` is checked; what is printed is in `main.txt`.

`pytest tests/bad --update` writes the messages down; read them aloud before committing them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dslc.check import check_source
from dslc.diagnostics import CODES
from dslc.diagnostics.render import render
from dslc.driver.importing import ImportedFiles
from dslc.source import Source

HERE = Path(__file__).parent
CASES = sorted([*HERE.glob("*/*.dl"), *HERE.glob("*/*/main.dl")])
GOLDENS = sorted([*HERE.glob("*/*.txt"), *HERE.glob("*/*/main.txt")])


def messages(path: Path) -> str:
    """What a program's check prints, its name relative to this folder."""
    source = Source(path.relative_to(HERE).as_posix(), path.read_text(encoding="utf-8"), path)
    _, sink = check_source(source, ImportedFiles(source))
    return render(sink, color=False)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.relative_to(HERE).with_suffix("").as_posix())
def test_a_bad_program_gets_its_message(path: Path, update: bool) -> None:
    printed = messages(path)
    golden = path.with_suffix(".txt")
    if update:
        golden.write_text(printed, encoding="utf-8")
    assert printed, "nothing was found in this bad program"
    assert golden.exists(), "no golden message yet: run with --update and read it"
    assert printed == golden.read_text(encoding="utf-8")


def test_every_golden_message_has_its_program() -> None:
    assert {path.with_suffix("") for path in GOLDENS} == {path.with_suffix("") for path in CASES}


def test_the_codes_of_all_messages_are_in_the_table() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in GOLDENS)
    printed = set(re.findall(r"^(?:error|warning)\[(\w+)\]", text, re.MULTILINE))
    assert printed <= set(CODES)
