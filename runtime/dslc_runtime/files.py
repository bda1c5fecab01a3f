"""Writing files so that a reader finds the old one or the new one, complete, whatever happens in between."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from dslc_runtime.errors import RuntimeFault, why


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` by `data`: a temporary file in the same folder, fsync, rename, fsync of the folder.

    A file that is replaced keeps its permissions.

    Raises:
        RuntimeFault: DL5023, the folder is missing or not writable, or the disk is full. `path` is as it was.
    """
    if path.is_dir():
        raise cannot_write(path, IsADirectoryError(errno.EISDIR, "is a folder"))
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            aside.chmod(stat.S_IMODE(path.stat().st_mode))
        aside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> RuntimeFault:
    """The fault of a failed write."""
    return RuntimeFault("DL5023", f"`{path.name or path}` could not be written: {why(error)}", str(path))


def sweep(folder: Path) -> None:
    """Delete what a killed process left half-written in a folder."""
    for left in folder.glob(".*.tmp"):
        with suppress(OSError):
            left.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename durable. Windows cannot open folders, and needs no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
