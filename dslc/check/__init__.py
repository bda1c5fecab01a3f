"""Check: syntax tree -> typed program. The only place that reports user mistakes."""

from dslc.check.elaborate import context, elaborate_model
from dslc.check.files import file_scope
from dslc.check.program import CheckedFile, check_source, check_unit

__all__ = ["CheckedFile", "check_source", "check_unit", "context", "elaborate_model", "file_scope"]
