"""Developers' tool: writes the generated pages, by `python -m dslc.doc`. A test fails where they are stale."""

from __future__ import annotations

from pathlib import Path

from dslc.doc.markdown import pages

DOCS = Path(__file__).parents[2] / "docs"

if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
