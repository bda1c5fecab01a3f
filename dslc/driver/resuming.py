"""A run's program and the one it is to be resumed with: whether they mean the same training.

Seed, batch size and data are compared by the runtime, which stored them; the number of epochs may grow. Everything else that
a training depends on (models, loss, optimizer, steps) stands in the two texts, which are compared word by word, so that layout,
comments and tests do not count.
"""

from __future__ import annotations

from collections.abc import Iterator

from dslc.diagnostics import Sink
from dslc.source import Source, Span
from dslc.syntax import tree
from dslc.syntax.parse import parse_tokens
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.run_folder import RunFolder

_COMPARED_ELSEWHERE = ("epochs", "seed", "batch")


def require_same_program(folder: RunFolder, saved: str, text: str) -> None:
    """Check that the program of a run is the one it is resumed with.

    Args:
        saved: the run's program, with what this command sets put into it too: a change that is asked for is none.
        text: the program now.

    Raises:
        RuntimeFault: DL5025, it is another; a line that differs is named.
    """
    before, now = _lines(saved), _lines(text)
    if list(before) == list(now):
        return
    lost = [shown for words, shown in before.items() if words not in now]
    new = [shown for words, shown in now.items() if words not in before]
    notes = [f"the run has `{lost[0]}`"] if lost else []
    notes += [f"this program has `{new[0]}`"] if new else []
    raise RuntimeFault(
        "DL5025",
        "the run was trained by another program",
        str(folder.path),
        notes,
        f"its own program is `{folder.config}`: `dslc train {folder.config} --resume --out {folder.path}`",
    )


def _lines(text: str) -> dict[tuple[str, ...], str]:
    """The words of every line that a training depends on, with the line as it is written."""
    source = Source("config.dl", text)
    file, tokens = parse_tokens(source, Sink())
    skipped = list(_skipped(file))
    lines: dict[int, list[str]] = {}
    for token in tokens:
        if token.text.strip() and not any(span.start <= token.start < span.end for span in skipped):
            lines.setdefault(Span(source, token.start, token.end).line, []).append(token.text)
    written = text.splitlines()
    return {tuple(words): " ".join(written[number - 1].split()) for number, words in lines.items()}


def _skipped(file: tree.File) -> Iterator[Span]:
    """Tests, what is compared elsewhere, and the paths of data, which may have moved."""
    for decl in file.decls:
        if isinstance(decl, tree.TestDecl):
            yield decl.span
        elif isinstance(decl, tree.TrainDecl):
            yield from (stmt.span for stmt in decl.body if _name(stmt) in _COMPARED_ELSEWHERE)
        elif isinstance(decl, tree.DataDecl):
            yield from (stmt.span for stmt in decl.body if _name(stmt) == "source")


def _name(stmt: tree.Stmt) -> str:
    return stmt.targets[0].text if isinstance(stmt, tree.AssignStmt) else ""
