"""What documents say in passing is so: the files they name, the figures they count, the names of the Python API."""

from __future__ import annotations

import re
from inspect import isclass

import pytest
from documents import ROOT, read

from dslc import api

DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md", "docs/adding-an-op.md", "docs/passes.md")
FOLDERS = ("dslc", "runtime", "tests", "docs", "models", "grammar", "benchmarks")
OF_A_RUN = {"config.dl", "fields.json", "run.json"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_names_are_there(document: str) -> None:
    paths = [*ROOT.glob("*.*"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*"))]
    files = [str(path) for path in paths]
    named = set(re.findall(r"`([\w./-]+\.(?:py|md|dl|json|lark))`", read(document))) - OF_A_RUN
    assert [name for name in named if not any(file.endswith(f"/{name}") for file in files)] == []


def test_the_readme_counts_the_steps_that_are_quicker_as_the_table_of_speeds_has_them() -> None:
    rows = [row.split(" | ") for row in re.findall(r"^\| (\w.* \|.*\d) \|$", read("docs/speed.md"), re.MULTILINE)]
    quicker, with_fused = (sum(float(row[column]) > 1 for row in rows) for column in (2, 3))
    claim = (
        f"{quicker} of {len(rows)} measured training steps are quicker than in PyTorch's eager mode, {with_fused} with"
    )
    assert f"{claim} its fused optimizers, and all take less memory" in read("README.md").replace("\n", " ")
    assert all(float(ours.replace(",", "")) < float(theirs.replace(",", "")) for *_, ours, theirs in rows)


def test_the_page_of_the_python_api_names_all_that_is_public() -> None:
    page = read("docs/python.md")
    classes = [value for value in vars(api).values() if isclass(value) and value.__module__ == api.__name__]
    public = {name for found in classes for name in vars(found) if not name.startswith("_")}
    assert len(public) > 15
    assert {name for name in public if not re.search(rf"\b{name}\b", page)} == {"checked"}  # which says that it is not
