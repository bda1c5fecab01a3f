"""Codes of the family `names`."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = ()
