"""`dslc fmt`: what it prints, writes and leaves alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from dslc.cli.commands import commands

UGLY = "dim   B\nmodel M{input x:f32[ B ];output y:f32[B];y=x}  # all of it\n"
PRETTY = "dim B\nmodel M { input x: f32[B]; output y: f32[B]; y = x }  # all of it\n"


@pytest.fixture
def ugly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("ugly.dl")
    path.write_text(UGLY)
    return path


def test_a_file_is_written_in_the_one_layout(dslc, ugly: Path) -> None:
    result = dslc("fmt", ugly)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "ugly.dl: formatted\n")
    assert ugly.read_text() == PRETTY


def test_a_file_that_is_so_already_is_not_touched(dslc, ugly: Path) -> None:
    ugly.write_text(PRETTY)
    os.utime(ugly, (1, 1))
    assert dslc("fmt", ugly).stderr == "ugly.dl: unchanged\n"
    assert ugly.stat().st_mtime == 1


def test_check_names_files_that_would_change_and_writes_none(dslc, ugly: Path) -> None:
    Path("pretty.dl").write_text(PRETTY)
    result = dslc("fmt", "--check", ugly, "pretty.dl")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "ugly.dl\n", "")
    assert ugly.read_text() == UGLY
    assert dslc("fmt", "--check", "pretty.dl").exit_code == 0


def test_a_file_with_mistakes_is_reported_and_left_while_others_are_formatted(dslc, ugly: Path) -> None:
    Path("bad.dl").write_text("model M {\n  y = (1\n")
    result = dslc("fmt", "bad.dl", ugly, "absent.dl")
    assert result.exit_code == 1
    assert "error[DL0006]: this `{` is never closed\n --> bad.dl:1:9" in result.stderr
    assert "error[DL0050]: cannot read `absent.dl`" in result.stderr
    assert Path("bad.dl").read_text() == "model M {\n  y = (1\n"
    assert ugly.read_text() == PRETTY


def test_line_ends_permissions_and_links_stay(dslc, ugly: Path) -> None:
    ugly.write_bytes(UGLY.replace("\n", "\r\n").encode())
    ugly.chmod(0o640)
    Path("link.dl").symlink_to(ugly)
    assert dslc("fmt", "link.dl").exit_code == 0
    assert Path("link.dl").is_symlink()
    assert ugly.read_bytes() == PRETTY.replace("\n", "\r\n").encode()
    assert stat.S_IMODE(ugly.stat().st_mode) == 0o640


def test_a_dash_formats_the_standard_input(tmp_path: Path) -> None:
    result = CliRunner().invoke(commands, ["fmt", "-"], input=UGLY)
    assert (result.exit_code, result.stdout) == (0, PRETTY)
    assert CliRunner().invoke(commands, ["fmt", "--check", "-"], input=UGLY).stdout == "<stdin>\n"


def test_a_file_that_cannot_be_written_is_a_diagnostic(dslc, ugly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = dslc("fmt", ugly)
    assert result.exit_code == 1
    assert "error[DL5023]" in result.stderr
    assert ugly.read_text() == UGLY
