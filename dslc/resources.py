"""Where the files that ship with the package are: in a wheel inside it, in an editable checkout beside it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def grammar_path() -> Path:
    """The grammar of the language, `dl.lark`."""
    return _folder("grammar") / "dl.lark"


def models_path() -> Path:
    """The folder of example programs and their data."""
    return _folder("models")
