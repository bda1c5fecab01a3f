"""Entries -> the generated pages of `docs/`: the functions, the library, the grammar, and the rules of the compiler."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill, indent

from dslc.doc.catalogue import KINDS, catalogue
from dslc.doc.entry import Entry, paragraphs
from dslc.doc.examples import example_lines
from dslc.doc.grammar import grammar_page
from dslc.doc.rules import rules_page

_WIDTH = 150
_NOTICE = "<!-- Made by `python -m dslc.doc` from the declarations that the compiler uses. Do not edit. -->"
_CALLED = ("function", "loss", "metric")
_OF_A_PROGRAM = ("model", "block", "cell")
_FUNCTIONS = """Every function that a program may call. `dslc doc NAME` shows the same on a terminal. In formulas, g is the
gradient that arrives at the result, and y the result where it is no operand."""
_LIBRARY = """Layers, and what a program names when it declares parameters, reads data and trains. `dslc doc NAME` shows the
same on a terminal."""

#: File -> its title, its first paragraph and the kinds of entries it holds.
_PAGES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "functions.md": ("Functions", _FUNCTIONS, _CALLED),
    "library.md": ("The library", _LIBRARY, tuple(kind for kind in KINDS if kind not in _CALLED + _OF_A_PROGRAM)),
}


def pages() -> dict[str, str]:
    """The text of each generated page by file name."""
    entries = catalogue()
    return {"grammar.md": grammar_page(), "rules.md": rules_page()} | {
        name: _page(title, lead, [entry for entry in entries if entry.kind in kinds])
        for name, (title, lead, kinds) in _PAGES.items()
    }


def _page(title: str, lead: str, entries: Sequence[Entry]) -> str:
    sections: dict[str, list[Entry]] = {}
    for entry in entries:
        sections.setdefault(_section(entry), []).append(entry)
    contents = [f"- [{name}](#{_anchor(name)}): {_links(found)}" for name, found in sections.items()]
    parts = [f"# {title}", _NOTICE, fill(lead, _WIDTH), "\n".join(contents)]
    for name, found in sections.items():
        parts.append(f"## {name}")
        for entry in found:
            parts += _entry(entry)
    return "\n\n".join(parts) + "\n"


def _section(entry: Entry) -> str:
    return f"{entry.group[0].upper()}{entry.group[1:]}" if entry.group else KINDS[entry.kind]


def _links(entries: Sequence[Entry]) -> str:
    return ", ".join(f"[{entry.name}](#{_anchor(entry.name)})" for entry in entries)


def _anchor(heading: str) -> str:
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _entry(entry: Entry) -> Iterator[str]:
    yield f"### {entry.name}"
    yield f"`{entry.signature}`"
    for text, verbatim in paragraphs(entry.doc):
        yield indent(text, "    ") if verbatim else fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    if entry.facts:
        yield "\n".join(f"- {title}: {text}" for title, text in entry.facts)
    if entry.options:
        rows = [f"| `{o.name}` | {f'`{o.default}`' if o.default else 'required'} | {o.takes} |" for o in entry.options]
        yield "\n".join(["| option | default | takes |", "|---|---|---|", *rows])
    if entry.example:
        lines = [f"# {line}" if line.startswith("input ") else line for line in example_lines(entry)]
        yield "\n".join(["```dl", *lines, "```"])
