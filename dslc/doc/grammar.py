"""The grammar -> the generated page `docs/grammar.md`: its rules without what only the parser needs, terminals spelled out."""

from __future__ import annotations

import re

from dslc.resources import grammar_path
from dslc.syntax.tables import KEYWORDS, PATTERNS, PUNCTUATION

_HEAD = """# Grammar

<!-- Made by `python -m dslc.doc` from `grammar/dl.lark`. Do not edit. -->

The rules of the language's form; what a program means, and what it may not say, is in [language.md](language.md).
`[x]` is x or nothing, `x*` any number of x, `x+` at least one, `|` separates alternatives.

NEWLINE is the end of a statement: a line end or `;`. Line ends inside `( )`, `[ ]` and the `{ }` of a record do not count,
nor one in front of a line that begins with `|>`, `then` or `else`. A `{` that follows a name, a string or a closing bracket
opens a block, any other a record. Keywords are names wherever they do not begin a statement or join one."""

_SECTION = re.compile(r"^// -{20,} (?P<title>.+)$", re.MULTILINE)
_ALIAS = re.compile(r" *-> \w+")
_INNER = re.compile(r"\b_(?=[a-z])|^\?")
_TERMINALS = re.compile(r"\b_?[A-Z]{2,}\b")
_LAYOUT = {"_NL": "NEWLINE", "_BLOCK": '"{"', "_END": '"}"'}
_QUOTED = {kind: f'"{text}"' for text, kind in (PUNCTUATION | KEYWORDS).items()} | _LAYOUT


def grammar_page() -> str:
    """The text of the page."""
    before, *parts = _SECTION.split(grammar_path().read_text(encoding="utf-8"))
    found = [_HEAD, f"```text\n{_rules(before)}\n```"]
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        if title != "terminals":
            found.append(f"## {title.capitalize()}\n\n```text\n{_rules(body)}\n```")
    free = "\n".join(f"{name}: /{_visible(pattern)}/" for name, pattern in PATTERNS.items())
    found.append(f"## Words\n\n```text\n{free}\n```")
    return "\n\n".join(found) + "\n"


def _rules(body: str) -> str:
    """Rules as a reader wants them, alternatives under the colon."""
    lines: list[str] = []
    colon = 0
    for line in _ALIAS.sub("", body).splitlines():
        if line.startswith(("//", "%")):
            continue
        rule = _TERMINALS.sub(lambda match: _QUOTED.get(match[0], match[0]), _INNER.sub("", line.strip()))
        if not rule.startswith("|"):
            colon = rule.find(":")
        lines.append(f"{' ' * colon}{rule}" if rule.startswith("|") else rule)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _visible(pattern: str) -> str:
    return pattern.replace("\n", "\\n").replace("\r", "\\r")
