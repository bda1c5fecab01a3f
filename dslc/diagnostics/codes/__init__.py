"""The closed table of diagnostics' codes, by family.

DL0xxx syntax and limits, DL1xxx names, DL2xxx types and sizes, DL3xxx data, training and tests,
DL4xxx lints, DL5xxx what only a run can find (files, data, numbers), DL6xxx targets, engines and exports.
"""

from dslc.diagnostics.codes import (
    imports,
    joins,
    limits,
    lints,
    meanings,
    names,
    notation,
    operands,
    operators,
    recurrence,
    requests,
    run,
    run_tables,
    syntax,
    targets,
    types,
)
from dslc.diagnostics.codes.entry import Code, Severity

CODES: dict[str, Code] = {
    entry.code: entry
    for entry in (
        *syntax.CODES, *limits.CODES, *names.CODES, *imports.CODES, *types.CODES, *meanings.CODES, *operators.CODES,
        *operands.CODES, *joins.CODES, *lints.CODES, *recurrence.CODES, *notation.CODES, *run.CODES, *run_tables.CODES,
        *requests.CODES, *targets.CODES,
    )
}  # fmt: skip

__all__ = ["CODES", "Code", "Severity"]
