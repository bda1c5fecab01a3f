"""Codes of the family `targets`."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = ()
