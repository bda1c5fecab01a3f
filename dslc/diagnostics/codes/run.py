"""Codes of the family `run`."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = ()
