"""The README's table of models is that of `models/`: a row for each program, commands that parse, seeds and scores that are so."""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from documents import ROOT, read, section

from dslc.cli.commands import commands

PROGRAMS = sorted((ROOT / "models").glob("*.dl"))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: the program it links to, and its cells."""

    program: str
    shows: str
    command: str
    score: str
    seed: str
    time: str

    @property
    def arguments(self) -> list[str]:
        assert self.command.startswith("`dslc "), self.command
        assert self.command.endswith("`"), self.command
        return shlex.split(self.command.strip("`"))[1:]

    @property
    def tested(self) -> dict[str, float]:
        """The numbers that `dslc eval` gives on the test part."""
        part = self.score.partition("test: ")[2]
        return {name: float(number) for name, number in re.findall(r"`(\w+)` ([\d.]+)", part)}


def rows() -> list[Row]:
    lines = [line for line in section(read("README.md"), "## Models that ship").splitlines() if line.startswith("|")]
    found: list[Row] = []
    for line in lines[2:]:
        program, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        link = re.fullmatch(r"\[(?P<name>\w+\.dl)\]\(models/(?P=name)\)", program)
        assert link is not None, f"{program} is no link to a program"
        found.append(Row(link["name"], *cells))
    return found


ROWS = rows()
trained = pytest.mark.parametrize("row", [row for row in ROWS if row.seed], ids=lambda row: row.program)


def test_every_program_has_its_row() -> None:
    assert sorted({row.program for row in ROWS}) == [path.name for path in PROGRAMS]


def test_every_row_says_what_its_program_shows_and_what_comes_out() -> None:
    assert [row.program for row in ROWS if not row.shows or not row.score] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.program)
def test_the_command_of_a_row_is_one_that_dslc_takes(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    name, *rest = row.arguments
    parent = click.Context(commands, info_name="dslc")
    command = commands.get_command(parent, name)
    assert command is not None, name
    command.make_context(name, [*rest], parent)
    assert rest[0].partition(":")[0] == f"models/{row.program}"


@trained
def test_the_seed_of_a_row_is_that_of_the_program(row: Row) -> None:
    text = (ROOT / "models" / row.program).read_text(encoding="utf-8")
    name = row.arguments[1].partition(":")[2] or r"\w+"
    block = re.search(rf"^train {name} \{{$(.*?)^\}}$", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    seed = re.search(r"^  seed += (\d+)$", block[1], re.MULTILINE)
    assert row.seed == (seed[1] if seed else "0")
    assert re.fullmatch(r"[\d,.]+ s", row.time), row.time


@pytest.mark.skipif(not os.environ.get("DSLC_SLOW"), reason="trains all models; set DSLC_SLOW=1 to run it")
@pytest.mark.parametrize("row", [row for row in ROWS if row.tested], ids=lambda row: row.program)
def test_the_command_of_a_row_gives_its_scores(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a percent: how many threads there are decides the last bits of a step, and those the rest of a training."""
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(commands, [*row.arguments, "--threads", "1", "--out", str(tmp_path / "r"), "-q"])
    if "error[DL5001]" in result.stderr:
        pytest.skip("its data is not here")
    assert result.exit_code == 0, result.stderr
    found = json.loads(CliRunner().invoke(commands, ["eval", str(tmp_path / "r"), "--json"]).stdout)
    assert {name: found[name] for name in row.tested} == pytest.approx(row.tested, abs=0.01)
