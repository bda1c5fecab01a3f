"""The Markdown documents as data: fenced blocks with the marker above each, and links.

A marker is an HTML comment on the line before a fence: `<!-- file: iris.dl -->` names the file a block becomes, `<!-- fails -->`
says that its command ends with status 1, `<!-- measured -->` that its numbers are of another run and are not compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(
    r"(?:^<!-- (?P<marker>[^\n]*?) -->\n)?^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `info` is what stands behind the opening fence, `line` where its text begins."""

    info: str
    marker: str
    text: str
    line: int

    @property
    def language(self) -> str:
        return self.info.partition(" ")[0]


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a document in order."""
    return [
        Block(match["info"].strip(), match["marker"] or "", match["text"], text.count("\n", 0, match.start("text")) + 1)
        for match in _FENCE.finditer(text)
    ]


def links(text: str) -> list[str]:
    """The targets of all links outside fenced blocks."""
    return [match["target"] for match in _LINK.finditer(_FENCE.sub("", text))]


def anchors(text: str) -> set[str]:
    """What a link into the document may name behind `#`: its headings as GitHub writes them."""
    headings = (match["text"].lower() for match in _HEADING.finditer(_FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in headings}


def section(text: str, heading: str) -> str:
    """The part of a document under a heading, up to the next of the same level."""
    level = heading.partition(" ")[0]
    match = re.search(rf"^{re.escape(heading)}$(.*?)(?=^{level} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match is not None, f"no section {heading!r}"
    return match[1]
