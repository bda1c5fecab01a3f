"""A small TextMate tokenizer for tests: `match` with captures and `begin`/`end`, line by line.

The earliest match counts, of those the first pattern's. Enough for a grammar without nested rules and without back-references;
what it does not know fails.
"""

from __future__ import annotations

import json
import re
from typing import Any


class Tokenizer:
    """Gives each character of a text its scope, or "" where no pattern has it."""

    def __init__(self, grammar: str) -> None:
        self._rules = [_Rule(pattern) for pattern in json.loads(grammar)["patterns"]]

    def scopes(self, text: str) -> list[str]:
        return [scope for line in text.splitlines(keepends=True) for scope in self._line(line)]

    def _line(self, line: str) -> list[str]:
        scopes, at = [""] * len(line), 0
        while True:
            found = [(match.start(), n) for n, rule in enumerate(self._rules) if (match := rule.start.search(line, at))]
            if not found:
                return scopes
            rule = self._rules[min(found)[1]]
            match = rule.start.search(line, at)
            assert match is not None
            assert match.end() > at, f"an empty match of {rule.start.pattern}"
            at = rule.paint(line, match, scopes)


class _Rule:
    def __init__(self, rule: dict[str, Any]) -> None:
        assert set(rule) <= {"name", "match", "captures", "begin", "end", "patterns"}, rule
        self.start = re.compile(rule.get("match") or rule["begin"], re.MULTILINE)
        self._name = rule.get("name", "")
        self._captures = {int(number): capture["name"] for number, capture in rule.get("captures", {}).items()}
        self._end = re.compile(rule["end"], re.MULTILINE) if "end" in rule else None
        self._inner = [(re.compile(inner["match"]), inner["name"]) for inner in rule.get("patterns", [])]

    def paint(self, line: str, match: re.Match[str], scopes: list[str]) -> int:
        """Write the scopes of a match; where it ends."""
        end = match.end() if self._end is None else self._inside(line, match.end(), scopes)
        for at in range(match.start(), end):
            scopes[at] = scopes[at] or self._name
        for number, name in self._captures.items():
            for at in range(*match.span(number)):
                scopes[at] = name
        return end

    def _inside(self, line: str, at: int, scopes: list[str]) -> int:
        assert self._end is not None
        while True:
            end = self._end.search(line, at)
            assert end is not None
            inner = [(m.start(), m.end(), name) for pattern, name in self._inner if (m := pattern.search(line, at))]
            if not inner or min(inner)[0] >= end.start():
                return end.end()
            start, at, name = min(inner)
            scopes[start:at] = [name] * (at - start)
