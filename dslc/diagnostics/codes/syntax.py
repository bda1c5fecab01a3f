"""Codes of the family `syntax`."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = ()
