"""Patterns over the keys of parameters: `"emb.*"` in `freeze`, `"*.weight"` in `l2`. A `*` stands for anything, dots too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dslc.check.near import near, quoted
from dslc.diagnostics import Edit, Help, Note, Sink
from dslc.source import Span

_SHOWN = 8


def matching(pattern: str, keys: Sequence[str]) -> list[str]:
    """The keys a pattern matches."""
    expression = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
    return [key for key in keys if expression.fullmatch(key)]


def select(pattern: str, span: Span, keys: Sequence[str], what: str, sink: Sink) -> list[str]:
    """The keys a pattern matches; a report where there are none.

    Args:
        what: what the keys are, for the message: "parameter", "parameter that is updated".
    """
    found = matching(pattern, keys)
    if not found:
        footers: list[Note | Help] = []
        close = near(pattern, _candidates(keys))
        if close:
            edits = (Edit(span, f'"{close[0]}"'),) if len(close) == 1 else ()
            footers.append(Help(f"did you mean {' or '.join(f'`{key}`' for key in close)}?", edits))
        shown = quoted(keys[:_SHOWN], "and" if len(keys) <= _SHOWN else "")
        more = f", and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
        footers.append(Note(f"the keys are {shown}{more}" if keys else f"there is no {what}"))
        sink.report("DL3055", f"no {what} has a key like `{pattern}`", span, "matches nothing", footers=footers)
    return found


def _candidates(keys: Sequence[str]) -> list[str]:
    """The keys, and the patterns a person writes for them: of a whole layer, and of one kind of parameter."""
    layers = [f"{key[:i]}.*" for key in keys for i, letter in enumerate(key) if letter == "."]
    kinds = [f"*.{key.rpartition('.')[2]}" for key in keys if "." in key]
    return list(dict.fromkeys([*keys, *layers, *kinds]))
