"""Every command, program and snippet of the documents is run here, so that what they say is true.

- `dl`: checks without errors. A text that does not begin with a declaration is statements of a model: it is put
  behind the head that examples have.
- `dl-error CODE`: is refused with this code and no other. A `text` block after it is the whole message.
- `sh`: commands with `dslc` are run in order, in a copy of the models; others make environments and are left out. A `text` block
  after it is what was printed. The README's first command runs one epoch here.
- `python`: the blocks of a document run in order as one program, in the same folder.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from documents import ROOT, Block, anchors, blocks, links, read, section
from printed import agrees

import dslc
from dslc.check.calls import function_names
from dslc.check.library import LAYERS
from dslc.check.settings import DATA, TRAIN
from dslc.cli.commands import commands
from dslc.diagnostics.render import render
from dslc.doc.examples import MODEL
from dslc.ops.initializers import INITIALIZERS
from dslc.ops.optimizers import OPTIMIZERS

DOCUMENTS = ("README.md", "docs/language.md", "docs/command-line.md", "docs/python.md")
LINKED = sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
_DECLARATION = re.compile(r"(?:\s*#[^\n]*\n)*\s*(?:dim|model|block|cell|data|train|test|from|import)\b(?!\s*=)")


def _program(text: str) -> str:
    return text if _DECLARATION.match(text) else f"{MODEL}{text}}}\n"


def _errors(block: Block) -> tuple[set[str], str]:
    """The codes of the errors in a program, and the message. It lies in the current folder, so it may import."""
    path = Path("example.dl")
    path.write_text(_program(block.text), encoding="utf-8")
    try:
        dslc.load(path)
    except dslc.DslcError as error:
        found = [d for d in error.diagnostics if d.is_error]
        return {d.code for d in found}, render(found, color=False)
    return set(), ""


def _command(block: Block) -> str:
    """What is run of a shell block: the README's first command without its environment, and with one epoch."""
    if block.marker != "command: digits":
        return block.text
    return block.text[block.text.index("dslc train") :].replace("--out", "--epochs 1 --out", 1)


class _Reader:
    """Runs the blocks of one document in order, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, object] = {"__name__": "document"}
        self._printed: str | None = None

    def run(self, block: Block) -> None:
        printed, self._printed = self._printed, None
        match block.language:
            case "text" | "json" if printed is not None and block.marker != "measured":
                assert agrees(block.text, printed), printed
            case "dl":
                assert _errors(block) == (set(), "")
            case "dl-error":
                codes, self._printed = _errors(block)
                assert codes == {block.info.split()[1]}
            case "sh" if "dslc" in block.text:
                self._shell(block)
            case "python":
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    exec(compile(block.text, "document", "exec"), self._names)
                self._printed = out.getvalue()
            case _:
                pass
        if block.marker.startswith("file: "):
            (self._folder / block.marker.removeprefix("file: ")).write_text(block.text, encoding="utf-8")

    def _shell(self, block: Block) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", _command(block)],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ran.returncode == (1 if block.marker == "fails" else 0), ran.stdout
        self._printed = ran.stdout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_of_the_document_does_what_it_says(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "models", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as for a script that lies there
    reader = _Reader(tmp_path)
    failures: list[str] = []
    for block in blocks(read(document)):
        try:
            reader.run(block)
        except Exception as error:
            failures.append(f"{document}, line {block.line}: {error}")
    assert not failures, "\n\n".join(failures)


@pytest.mark.parametrize("document", LINKED)
def test_links_lead_somewhere(document: str) -> None:
    for target in links(read(document)):
        parts = urlsplit(target)
        if parts.scheme:
            continue
        place = (ROOT / document).parent / parts.path if parts.path else ROOT / document
        assert place.exists(), target
        if parts.fragment:
            assert parts.fragment in anchors(place.read_text(encoding="utf-8")), target


def test_the_test_command_of_the_readme_is_the_one_that_ci_runs() -> None:
    taken = re.search(r"^sed -n .*README\.md \| sed '[^']*'", read(".ci/run"), re.MULTILINE)
    assert taken is not None
    ran = subprocess.run(["bash", "-c", taken[0]], cwd=ROOT, capture_output=True, text=True, check=True)
    (block,) = [block for block in blocks(read("README.md")) if block.marker == "command: tests"]
    assert ran.stdout == block.text
    assert "pytest" in ran.stdout


def _command_options(name: str) -> set[str]:
    context = click.Context(commands)
    command = commands.get_command(context, name)
    assert command is not None
    return {o for p in command.params if isinstance(p, click.Option) for o in p.opts}


@pytest.mark.parametrize("name", commands.list_commands(click.Context(commands)))
def test_the_command_lines_page_has_every_option_of_the_command_and_no_other(name: str) -> None:
    page = section(read("docs/command-line.md"), f"## dslc {name}")
    common = section(read("docs/command-line.md"), "## Every command")
    written = set(re.findall(r"`(-{1,2}[a-z-]+)", page))
    of_every_command = set(re.findall(r"`(-{1,2}[a-z-]+)", common))
    assert _command_options(name) - of_every_command == written


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("functions", function_names()),
        ("initialisers", INITIALIZERS),
        ("optimizers", [*OPTIMIZERS, *(o.name for rule in OPTIMIZERS.values() for o in rule.options)]),
        ("layers", LAYERS),
        ("settings", [*DATA, *TRAIN]),
    ],
)
def test_the_reference_of_the_language_names_all(what: str, names: list[str]) -> None:
    prose = re.sub(r"^```.*?^```$", "", read("docs/language.md"), flags=re.MULTILINE | re.DOTALL)
    code = {word for span in re.findall(r"`([^`\n]+)`", prose) for word in re.findall(r"\w+", span)}
    assert sorted(set(names) - code) == [], what
