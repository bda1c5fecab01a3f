"""Weights to start from: what a program says of them, and a run's folder or a safetensors file -> first values of parameters.

Every tensor that is read must be there with the shape and element type of the model's; nothing is converted or left out silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import numpy.typing as npt

from dslc.check.near import near
from dslc.check.typed import Start
from dslc.diagnostics import Diagnostic, DslcError, Help, Label, Note
from dslc.driver.frontend import folder_of
from dslc_runtime import checkpoint
from dslc_runtime.checkpoint import tensor_type
from dslc_runtime.run_folder import RunFolder

Array: TypeAlias = npt.NDArray[Any]

_SHOWN = 8


def start_from(params: Mapping[str, Array], starts: Sequence[Start], several: bool) -> list[dict[str, Any]]:
    """Overwrite first values by those that models start from; what was read, for `run.json`.

    Args:
        params: by key, written in place.
        several: whether the block has several models, so that keys begin with their names.

    Raises:
        DslcError: there are no such weights (DL5080), or they lack a tensor that is to be read or hold one that the model does not
            have (DL5081), or one of another type (DL5082).
        RuntimeFault: the file is damaged or of a newer version.
    """
    return [_started(params, start, f"{start.use}." if several else "") for start in starts]


def _started(params: Mapping[str, Array], start: Start, own: str) -> dict[str, Any]:
    path = _file(start)
    saved = checkpoint.load(path).tensors
    wanted = {key: params[own + key] for key in start.keys}
    _require_names(start, path, saved, wanted)
    _require_types(start, path, saved, wanted)
    for key, memory in wanted.items():
        memory[...] = saved[start.prefix + key]
    digest = sha256(path.read_bytes()).hexdigest()
    return {"use": start.use, "path": str(path.resolve()), "sha256": digest, "tensors": len(wanted)}


def _file(start: Start) -> Path:
    """The file with the weights."""
    path = folder_of(start.span.source) / start.path
    file = RunFolder(path).model if path.is_dir() else path
    if file.is_file():
        return file
    missing = f"there is no `{file.name}` in it: no epoch was finished" if path.is_dir() else "there is nothing there"
    footers = (
        Note(f"looked for {path.resolve()}: {missing}"),
        Help("train it first, and name its folder with `--out`; the path is relative to the program"),
    )
    label = Label(start.span, "no weights there")
    raise DslcError([Diagnostic("DL5080", f"there are no weights `{start.path}` to start from", (label,), footers)])


def _require_names(start: Start, path: Path, saved: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
    missing = [key for key in wanted if start.prefix + key not in saved]
    held = [name.removeprefix(start.prefix) for name in saved if name.startswith(start.prefix)]
    unknown = [name for name in held if name not in wanted] if start.whole else []
    if not missing and not unknown:
        return
    notes = [*_of_missing(missing, held), *(f"`{name}` is in the file, and not in the model" for name in unknown)]
    shown = notes[:_SHOWN] + ([f"and {len(notes) - _SHOWN} more differences"] if len(notes) > _SHOWN else [])
    message = f"the weights `{start.path}` are not those of `{start.use}`"
    label = Label(start.span, f"read from {path.name}")
    footers = (*map(Note, shown), _mend(start, saved, wanted, missing))
    raise DslcError([Diagnostic("DL5081", message, (label,), footers)])


def _of_missing(missing: Sequence[str], held: Sequence[str]) -> Iterator[str]:
    for key in missing:
        close = near(key, held)
        like = f"; there is {' and '.join(f'`{name}`' for name in close)}" if close else ""
        yield f"`{key}` is not in the file{like}"


def _mend(start: Start, saved: Mapping[str, Array], wanted: Mapping[str, Array], missing: Sequence[str]) -> Help:
    """What was probably meant: keys behind another prefix, or a part of the model."""
    first = next(iter(wanted))
    prefixes = [name.removesuffix(first) for name in saved if name.endswith(first)]
    prefix = next((p for p in prefixes if all(p + key in saved for key in wanted)), None)
    if prefix is not None and prefix != start.prefix:
        return Help(f'all of them are there behind `{prefix}`: `prefix = "{prefix}"`')
    if len(missing) < len(wanted):
        return Help('read a part of them, by patterns of keys: `only = ["features.*"]`')
    return Help("name the model's keys as the file does: labels make them, and `dslc info` lists them")


def _require_types(start: Start, path: Path, saved: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
    notes = [
        f"`{key}` is {tensor_type(found)} in the file and {tensor_type(memory)} in the model"
        for key, memory in wanted.items()
        if tensor_type(found := saved[start.prefix + key]) != tensor_type(memory)
    ]
    if not notes:
        return
    message = f"the weights `{start.path}` do not fit `{start.use}`"
    label = Label(start.span, f"read from {path.name}")
    more = [f"and {len(notes) - _SHOWN} more differences"] if len(notes) > _SHOWN else []
    help_ = Help("give the model the sizes of the other one, or read the rest with `only`")
    raise DslcError([Diagnostic("DL5082", message, (label,), (*map(Note, (*notes[:_SHOWN], *more)), help_))])
