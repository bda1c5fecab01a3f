"""Codes of the family `joins`: data, training, tests, and the settings of a command."""

from dslc.diagnostics.codes import (
    joins_blocks,
    joins_data,
    joins_fields,
    joins_recipes,
    joins_steps,
    joins_tests,
    joins_training,
)
from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    *joins_blocks.CODES, *joins_data.CODES, *joins_fields.CODES, *joins_training.CODES, *joins_steps.CODES,
    *joins_recipes.CODES, *joins_tests.CODES,
)  # fmt: skip
