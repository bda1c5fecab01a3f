"""What is told of a name that is documented nowhere: whose option it is, what it is called here, or which name is close to it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dslc.check import optimizer, sources
from dslc.check.foreign import argument_meant, difference, function_meant, layer_meant
from dslc.check.near import did_you_mean, near, quoted
from dslc.diagnostics import Diagnostic, Help, Note
from dslc.doc.entry import Entry

_LATER = frozenset((*optimizer.LATER, *sources.LATER))
_OPTION = re.compile(r"\b(\w+) =")
_OWNERS = 5  # of an option that are told


def options_of(entry: Entry) -> set[str]:
    """What is given to an entry by name; a setting is no option of its own."""
    return {option.name for option in entry.options} | {*_OPTION.findall(entry.signature)} - {entry.name}


def not_found(name: str, entries: Sequence[Entry], elsewhere: str) -> Diagnostic:
    """The diagnostic for a name without an entry; of a dotted one, the last name counts.

    Args:
        elsewhere: what the name means outside of programs, or "".
    """
    if name in _LATER:
        return Diagnostic("DL6040", f"`{name}` is not in this version yet")
    last = name.rpartition(".")[2] or name
    known = [entry.name for entry in entries]
    meant = layer_meant(last) or function_meant(last)
    if meant in known:
        texts = [f"what other libraries call `{last}` is `{meant}` here"]
    elif last != name and last in known:
        texts = [did_you_mean([last])]
    else:
        texts = [text for text in (difference(last), _option(last, entries), elsewhere) if text]
    message = f"there is no documentation of `{name}`"
    if texts:
        return Diagnostic("DL6040", message, (), tuple(map(Help, texts)))
    return unknown(message, last, known)


def _option(name: str, entries: Sequence[Entry]) -> str:
    """Whose option a name is, or the option that another library's name means; or ""."""
    named = {entry.name: options_of(entry) for entry in entries}
    every = sorted({option for options in named.values() for option in options})
    option = name if name in every else argument_meant(name, every)
    owners = [owner for owner, options in named.items() if option in options]
    if not owners:
        return ""
    more = len(owners) - _OWNERS
    shown = f"{', '.join(map(_code, owners[:_OWNERS]))} and {more} more" if more > 0 else quoted(owners, "and")
    what = f"`{name}` is" if option == name else f"what other libraries call `{name}` is `{option}` here,"
    return f"{what} an option of {shown}: see `dslc doc {owners[0]}`"


def _code(name: str) -> str:
    return f"`{name}`"


def unknown(message: str, name: str, known: Sequence[str]) -> Diagnostic:
    """The diagnostic for a name that is none of those that are known."""
    close = near(name, known)
    footer = Help(did_you_mean(close)) if close else Note("`dslc doc` lists all names")
    return Diagnostic("DL6040", message, (), (footer,))
