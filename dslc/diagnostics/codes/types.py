"""Codes of the family `types`."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = ()
