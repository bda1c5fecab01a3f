"""Faults of the runtime and the compiler's table of codes fit each other."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import dslc_runtime
from dslc.diagnostics.codes import CODES
from dslc_runtime.errors import RuntimeFault, why

SOURCES = Path(dslc_runtime.__file__).parent.rglob("*.py")


def test_every_code_the_runtime_uses_can_be_explained() -> None:
    used = {code for path in SOURCES for code in re.findall(r'"(DL\d{4})"', path.read_text("utf-8"))}
    assert "DL5030" in used
    assert used <= set(CODES)


def test_every_explanation_of_a_run_time_code_shows_a_mend() -> None:
    for code, entry in CODES.items():
        if code.startswith("DL5"):
            assert "Mended" in entry.explain, code
            assert entry.title == entry.title.lower().replace("nan", "NaN"), code
            assert not entry.title.endswith("."), code


def test_the_runtime_never_imports_the_compiler() -> None:
    for path in Path(dslc_runtime.__file__).parent.rglob("*.py"):
        assert not re.search(r"^\s*(from|import) dslc(\.|\s|$)", path.read_text("utf-8"), re.MULTILINE), path


def test_a_fault_reads_as_one_line() -> None:
    fault = RuntimeFault("DL5001", "it is gone", "a.npz", ["a note"], "a mend")
    assert str(fault) == "DL5001: it is gone (a.npz)"
    assert fault.notes == ("a note",)


def test_reasons_are_words() -> None:
    assert why(OSError(errno.ENOSPC, "No space left on device")) == "the disk is full"
    assert why(OSError(errno.EACCES, "Permission denied")) == "permission denied"
    assert why(OSError()) == "oserror"
