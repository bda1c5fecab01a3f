"""Codes of the family `lints`."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = ()
