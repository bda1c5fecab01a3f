"""Text files line by line: decoded, bounded, and hashed on the way. A file may come from a stranger.

Path -> lines with their ends. Nothing is held but the line at hand, so that a file without line ends cannot fill the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from dslc_runtime.data.memory import require_memory
from dslc_runtime.errors import RuntimeFault, listed, why

MAX_LINE = 16 << 20  # bytes; a row of 784 pixels has about 3,000
_BOM = b"\xef\xbb\xbf"
_ELSEWHERE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x1f\x8b": "gzip", b"PK": "zip"}


@dataclass(slots=True)
class TextFile:
    """A text file in UTF-8; `lines` may be gone through once.

    Attributes:
        digest: of what was read so far.
    """

    path: Path
    digest: blake2b = field(default_factory=lambda: blake2b(digest_size=16))

    def require_memory(self, factor: int) -> None:
        """Check that so many bytes for each of the file can be held; one that cannot be read says so when its lines are.

        Raises:
            RuntimeFault: DL5009, they cannot.
        """
        with suppress(OSError):
            require_memory(self.path, factor * self.path.stat().st_size)

    def lines(self) -> Iterator[str]:
        """Every line with its end, without the mark that some programs put in front of UTF-8.

        Raises:
            RuntimeFault: DL5001 the file cannot be read, DL5063 it is not text in UTF-8, or a line is too long.
        """
        number = 0
        try:
            with self.path.open("rb") as file:
                while raw := file.readline(MAX_LINE + 1):
                    number += 1
                    self.digest.update(raw)
                    yield self._decoded(raw, number)
        except OSError as error:
            raise cannot_read(self.path, error) from error

    def _decoded(self, raw: bytes, number: int) -> str:
        if number == 1:
            self._require_text(raw)
            raw = raw.removeprefix(_BOM)
        if len(raw) > MAX_LINE:
            raise self.damaged(f"line {number} is longer than {MAX_LINE} bytes")
        if (at := raw.find(b"\0")) >= 0:
            raise self.damaged(f"line {number} holds a NUL at byte {at + 1}")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            how = f"line {number} is not UTF-8: byte {error.start + 1} is 0x{raw[error.start]:02x}"
            raise self.damaged(how, "save the file as UTF-8") from error

    def _require_text(self, raw: bytes) -> None:
        for start, what in _ELSEWHERE.items():
            if raw.startswith(start):
                raise self.damaged(f"it is {what}, not text in UTF-8", "unpack it, or save it as UTF-8")

    def damaged(self, how: str, mend: str = "") -> RuntimeFault:
        """The fault of text that cannot be used."""
        return RuntimeFault("DL5063", f"`{self.path.name}` cannot be read as text: {how}", str(self.path), help=mend)


def cannot_read(path: Path, error: OSError) -> RuntimeFault:
    """The fault of a data file that is not there or may not be read, with what lies in its place."""
    return RuntimeFault(
        "DL5001",
        f"the data file `{path.name}` cannot be read: {why(error)}",
        str(path),
        _neighbours(path),
        help="paths are relative to the program's file; `--data PATH` replaces this one",
    )


def _neighbours(path: Path) -> list[str]:
    """A note on the files of the same kind beside a path that does not exist."""
    try:
        found = sorted(other.name for other in path.parent.glob(f"*{path.suffix}"))
    except (OSError, ValueError):
        return []
    if path.exists() or not found or not path.suffix:
        return []
    return [f"that folder holds {listed(found)}"]
