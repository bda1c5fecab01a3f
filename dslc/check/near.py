"""Names that look like one that was not found, and the help that proposes them. Knows nothing of scopes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dslc.diagnostics import Edit, Help, Note
from dslc.source import Span


def distance(a: str, b: str, most: int) -> int:
    """Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`; where there are more than `most`, more."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        last, before, row = before, row, [i]
        for j, y in enumerate(b, start=1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                best = min(best, last[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return most + 1
    return row[-1]


def near(name: str, candidates: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """At most `limit` candidates close enough to `name` to be meant, the closest first; case counts little.

    One that differs in case alone is meant, whatever else is close: `Conv2D` is `Conv2d`, not `Conv1d`.
    A candidate that is a whole word of the name is close too: `use_bias` is meant to be `bias`.
    """
    room = min(3, (len(name) + 1) // 3) if len(name) > 1 else 0
    wanted = name.lower()
    known = [candidate for candidate in dict.fromkeys(candidates) if candidate != name]
    same = tuple(candidate for candidate in known if candidate.lower() == wanted)
    if same:
        return same[:limit]
    scored: list[tuple[int, str]] = []
    for candidate in known:
        if len(candidate) > 2 and candidate.lower() in wanted.split("_"):
            scored.append((room, candidate))
            continue
        if abs(len(candidate) - len(name)) > room:
            continue
        edits = distance(wanted, candidate.lower(), room)
        if edits <= room:
            scored.append((edits, candidate))
    return tuple(candidate for _, candidate in sorted(scored)[:limit])


def quoted(names: Iterable[str], last: str = "or") -> str:
    """Names as text: ``"`a`, `b` or `c`"``."""
    marked = [f"`{name}`" for name in names]
    if len(marked) < 2:
        return "".join(marked)
    return f"{', '.join(marked[:-1])} {last} {marked[-1]}"


def did_you_mean(names: Iterable[str]) -> str:
    """The text of a help that proposes names; the caller leaves it out where there are none."""
    return f"did you mean {quoted(names)}?"


def proposed(names: Sequence[str], place: Span | None = None, form: str = "{}") -> list[Note | Help]:
    """The help that proposes names, if there are any; where it is one, it is put in place of what was written.

    Args:
        form: how the name is written there: ``'"{}"'`` for a string.
    """
    if not names:
        return []
    edits = (Edit(place, form.format(names[0])),) if place is not None and len(names) == 1 else ()
    return [Help(did_you_mean(names), edits)]
