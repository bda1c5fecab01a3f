"""Developers' tool: writes the TextMate grammar anew, by `python -m dslc.highlight`."""

from __future__ import annotations

from dslc.highlight.textmate import grammar
from dslc.resources import grammar_path

TEXTMATE = grammar_path().with_name("dl.tmLanguage.json")

if __name__ == "__main__":
    TEXTMATE.write_text(grammar(), encoding="utf-8")
