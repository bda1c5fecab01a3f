"""What a run can find wrong that the compiler could not: files, data, numbers. Text in, one exception out; it prints nothing."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable


class RuntimeFault(Exception):  # noqa: N818 - what it finds is the user's data at fault, not an error of ours
    """The user's data, files or numbers are at fault; whoever runs a program turns it into a coded diagnostic.

    Attributes:
        code: `DL5xxx`, a code of the compiler's table.
        message: one line, lower case, no final stop.
        where: what the fault is about, usually a path; "" if that is clear.
        notes: facts that explain it.
        help: a proposed mend, or "".
    """

    def __init__(self, code: str, message: str, where: str = "", notes: Iterable[str] = (), help: str = "") -> None:
        super().__init__(f"{code}: {message}" + (f" ({where})" if where else ""))
        self.code = code
        self.message = message
        self.where = where
        self.notes = tuple(notes)
        self.help = help


class IdError(IndexError):
    """An integer that should name a row or a class names none; found by the kernel that looks it up."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name closest to a mistaken one, or ""; one that differs in case or blanks alone is the closest."""
    names = list(known)
    same = [other for other in names if other.strip().casefold() == name.strip().casefold()]
    return next(iter(same or difflib.get_close_matches(name, names, n=1, cutoff=0.6)), "")


def near_name(name: str, known: Iterable[str]) -> str:
    """A help line with the known name closest to a mistaken one, or ""."""
    close = nearest(name, known)
    return f"did you mean `{close}`?" if close else ""


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Names for a note, backquoted and cut after `limit`."""
    every = [f"`{name}`" for name in names]
    more = len(every) - limit
    return ", ".join(every[:limit]) + (f" and {more} more" if more > 0 else "") if every else "none"


def why(error: OSError) -> str:
    """The reason of a failed file operation in plain words."""
    if error.errno == errno.ENOSPC:
        return "the disk is full"
    return (error.strerror or type(error).__name__).lower()
