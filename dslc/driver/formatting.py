"""Files -> the same files in the one layout. Only files that change are written."""

from __future__ import annotations

from pathlib import Path

from dslc.diagnostics import DslcError
from dslc.driver.frontend import read_source
from dslc.syntax.format import format_source


def is_formatted(path: Path) -> bool:
    """Whether a file is in the one layout.

    Raises:
        DslcError: the file cannot be read, or has mistakes in its form.
    """
    source = read_source(path)
    return format_source(source) == source.text


def format_file(path: Path) -> bool:
    """Put a file into the one layout, at once or not at all; whether that changed anything. Its line ends stay what they were.

    Raises:
        DslcError: the file cannot be read or written, or has mistakes in its form; it is as it was.
    """
    source = read_source(path)
    text = format_source(source)
    if text == source.text:
        return False
    ends = "\r\n" if b"\r\n" in path.read_bytes() else "\n"
    _write(path.resolve(), text.replace("\n", ends))
    return True


def _write(path: Path, text: str) -> None:
    # Most runs change nothing, and need not wait for the runtime.
    from dslc.driver.faults import diagnostic  # noqa: PLC0415
    from dslc_runtime.errors import RuntimeFault  # noqa: PLC0415
    from dslc_runtime.files import write_atomic  # noqa: PLC0415

    try:
        write_atomic(path, text.encode())
    except RuntimeFault as fault:
        raise DslcError([diagnostic(fault)]) from fault
