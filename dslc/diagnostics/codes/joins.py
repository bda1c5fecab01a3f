"""Codes of the family `joins`."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = ()
