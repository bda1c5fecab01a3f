"""A run's program and the one it is to be resumed with: whether they mean the same training.

Seed, batch size and data are compared by the runtime, which stored them; the number of epochs may grow. Everything else that
a training depends on (models, loss, optimizer, steps) stands in the two texts, which are compared word by word, so that layout,
comments and tests do not count. What `--set` changes now is no difference, unless it changes the tensors.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dslc.check.inlining import inlined
from dslc.check.typed import TypedTrain
from dslc.diagnostics import DslcError, Sink
from dslc.driver.frontend import Checked, check_program, folder_of, read_source, recheck
from dslc.source import Source, Span
from dslc.syntax import tree
from dslc.syntax.parse import parse_tokens
from dslc.training import training_graphs
from dslc_runtime.errors import RuntimeFault
from dslc_runtime.run_folder import RunFolder

_COMPARED_ELSEWHERE = ("epochs", "seed", "batch")


def require_resumable(folder: RunFolder, checked: Checked, train: str, settings: Sequence[str]) -> None:
    """Check that a train block of a program is what the run in a folder trained.

    Args:
        settings: what `--set` changes now. They are put into the run's program too: a change that is asked for is none, as long
            as the run's tensors stay what they are.

    Raises:
        RuntimeFault: DL5025, it is another train block or program, or the settings change the tensors.
    """
    about = folder.read_about() if folder.about.exists() else {}
    was = about.get("train")
    if isinstance(was, str) and was != train:
        raise _of_another_train(folder, checked, train, was)
    source = read_source(folder.config)
    saved = check_program(source, settings, about=train)
    notes = _difference(config_text(saved), config_text(checked))
    if notes:
        repeated = _repeated(saved, checked, train, [*set_before(about), *settings])
        raise _of_another_program(folder, notes, repeated)
    own = check_program(source, about=train) if settings else saved
    notes = _difference(config_text(own), config_text(saved))
    if notes and _tensors(own.file.trains[train]) != _tensors(saved.file.trains[train]):
        raise _with_other_tensors(folder, notes, _changing(own, train, settings) or settings)


def config_text(checked: Checked) -> str:
    """The program as it ran in one text: overrides are in it already, imports too, data paths become absolute."""
    return inlined(checked.unit, folder_of)


def set_before(about: Mapping[str, Any]) -> list[str]:
    """What `--set` changed in a run, of its facts; nothing where they do not say."""
    match about.get("set"):
        case [*settings]:
            return [str(setting) for setting in settings]
        case _:
            return []


def merged(settings: Iterable[str]) -> list[str]:
    """Settings in order; of those with the same path the last."""
    return list({setting.partition("=")[0].strip(): setting for setting in settings}.values())


def _of_another_train(folder: RunFolder, checked: Checked, train: str, was: str) -> RuntimeFault:
    path = checked.source.name
    again = f"`dslc train {path}:{was} --resume --out {folder.path}`" if was in checked.file.trains else _own(folder)
    mend = f"go on with it: {again}, or train `{train}` into another folder"
    return RuntimeFault(
        "DL5025", f"the run is of train block `{was}`, and this is `{train}`", str(folder.path), help=mend
    )


def _of_another_program(folder: RunFolder, notes: Sequence[str], repeated: str) -> RuntimeFault:
    mend = f"repeat {repeated}, or go on with" if repeated else "go on with"
    mend += f" the run's own program: {_own(folder)}"
    return RuntimeFault("DL5025", "the run was trained by another program", str(folder.path), notes, mend)


def _with_other_tensors(folder: RunFolder, notes: Sequence[str], guilty: Sequence[str]) -> RuntimeFault:
    message = f"{_written(guilty)} would change the tensors that the run has trained"
    mend = f"resume without {'it' if len(guilty) == 1 else 'them'}, or train anew into another folder"
    return RuntimeFault("DL5025", message, str(folder.path), notes, mend)


def _own(folder: RunFolder) -> str:
    return f"`dslc train {folder.config} --resume --out {folder.path}`"


def _repeated(saved: Checked, checked: Checked, train: str, settings: Sequence[str]) -> str:
    """The settings with which a program is that of the run, as they are given again, or ""."""
    again = [
        setting for setting in merged(settings) if setting.partition("=")[0].rpartition(".")[2].strip() != "epochs"
    ]
    try:
        now = recheck(checked, again, train)
    except DslcError:
        return ""
    return "" if _difference(config_text(saved), config_text(now)) else _written(again)


def _written(settings: Iterable[str]) -> str:
    """Settings as a command line has them."""
    return f"`{shlex.join(word for setting in settings for word in ('--set', setting))}`"


def _changing(own: Checked, train: str, settings: Sequence[str]) -> list[str]:
    """The settings that change the tensors of a training by themselves."""
    before, found = _tensors(own.file.trains[train]), list[str]()
    for setting in settings:
        try:
            now = recheck(own, [setting], train)
        except DslcError:  # it needs another one
            continue
        if _tensors(now.file.trains[train]) != before:
            found.append(setting)
    return found


def _tensors(typed: TypedTrain) -> tuple[object, ...]:
    """What tells the tensors of two trainings apart: the types of parameters, and the vectors of optimizers."""
    types = {key: spec.type for key, spec in typed.params.items()}
    return types, [(group.name, group.layout, group.slots) for group in training_graphs(typed).groups]


def _difference(saved: str, text: str) -> list[str]:
    """A line of each of two programs that the other one has not; none where they mean the same training."""
    before, now = _lines(saved), _lines(text)
    if list(before) == list(now):
        return []
    lost = [shown for words, shown in before.items() if words not in now]
    new = [shown for words, shown in now.items() if words not in before]
    found = [f"the run has `{lost[0]}`"] if lost else []
    found += [f"this program has `{new[0]}`"] if new else []
    return found or ["its lines stand in another order"]


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
