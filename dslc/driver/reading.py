"""The bytes of a `.dl` file -> `Source`. Says what is wrong with files that cannot be programs."""

from __future__ import annotations

from pathlib import Path

from dslc.check.near import quoted
from dslc.diagnostics import Diagnostic, DslcError, Help
from dslc.source import Source

MAX_BYTES = 10_000_000


def read_source(path: Path, name: str = "") -> Source:
    """The text of a `.dl` file.

    Args:
        name: what messages call it; its path unless given.

    Raises:
        DslcError: the file cannot be read (DL5001) or is not UTF-8 text of reasonable size (DL5002).
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        helps = _instead(path) if path.is_dir() else () if path.exists() else _near_files(path)
        reason = (error.strerror or type(error).__name__).lower()
        raise DslcError([Diagnostic("DL0050", f"cannot read `{path}`: {reason}", (), helps)]) from error
    if size > MAX_BYTES:
        text = f"`{path}` has {size:_} bytes; a program has at most {MAX_BYTES:_}"
        raise DslcError([Diagnostic("DL0051", text)])
    return decode_source(raw, name or str(path), path)


def decode_source(raw: bytes, name: str, path: Path | None = None) -> Source:
    """The bytes of a program as a source, with line ends of one kind.

    Raises:
        DslcError: they are not UTF-8 text (DL0051).
    """
    try:
        return Source(name, raw.decode("utf-8-sig").replace("\r\n", "\n"), path)
    except UnicodeDecodeError as error:
        text = f"`{name}` is not UTF-8 text: byte {error.start} cannot be read"
        raise DslcError([Diagnostic("DL0051", text, (), (Help("save the file as UTF-8"),))]) from error


def _instead(folder: Path) -> tuple[Help, ...]:
    if (folder / "run.json").exists():
        return (Help(f"this is the folder of a run; its program is `{folder / 'config.dl'}`"),)
    inside = sorted(path.name for path in folder.glob("*.dl"))[:3]
    return (Help(f"name a program in it: {quoted(inside, 'or')}"),) if inside else ()


def _near_files(path: Path) -> tuple[Help, ...]:
    if path.suffix != ".dl" and path.with_suffix(".dl").exists():
        return (Help(f"did you mean `{path.with_suffix('.dl')}`?"),)
    return ()
