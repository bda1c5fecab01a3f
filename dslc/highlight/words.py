"""The words of the language by class, from the tables of the lexer, the checker and the catalogue of documentation."""

from __future__ import annotations

from dslc.check.files import KINDS
from dslc.doc import catalogue
from dslc.syntax import layout, tables
from dslc.tensor_type import DType

CONSTANTS = frozenset({"true", "false", "none"})
LOGIC = frozenset({"and", "or", "not"})
#: Words that are keywords where a statement begins.
STATEMENTS = frozenset(layout.STATEMENTS)
#: Words that are keywords inside a statement, `repeat` and those of one statement alone left out.
INLINE = layout.INLINE - CONSTANTS - LOGIC - {"repeat"}
KEYWORDS = frozenset(tables.KEYWORDS)
#: Element types, and the kinds of hyper-parameters that are no keywords.
TYPES = frozenset({dtype.value for dtype in DType}) | (frozenset(KINDS) - KEYWORDS)

_ENTRIES = catalogue()
LAYERS = frozenset(entry.name for entry in _ENTRIES if entry.kind == "layer")
FUNCTIONS = frozenset(entry.name for entry in _ENTRIES if entry.kind != "layer")
