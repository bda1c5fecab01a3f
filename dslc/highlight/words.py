"""The words of the language by class, from the tables of the lexer, the checker and the operators."""

from __future__ import annotations

from dslc.check.builtins import FIELD_FUNCTIONS, PENALTIES, SOURCES, STARTS
from dslc.check.calls import function_names
from dslc.check.files import KINDS
from dslc.check.library import LAYERS as LIBRARY
from dslc.ops.initializers import INITIALIZERS
from dslc.ops.optimizers import OPTIMIZERS
from dslc.ops.random import RANDOM
from dslc.ops.schedules import SCHEDULES
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

LAYERS = frozenset(LIBRARY)
#: What a program may call, besides layers.
FUNCTIONS = frozenset(
    (*function_names(), *INITIALIZERS, *OPTIMIZERS, *SCHEDULES, *PENALTIES, *STARTS, *SOURCES, *FIELD_FUNCTIONS)
) | frozenset(opdef.name.removeprefix("random_") for opdef in RANDOM)
