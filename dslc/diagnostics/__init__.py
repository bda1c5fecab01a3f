"""Diagnostics: what they are, their codes, and how they are printed."""

from dslc.diagnostics.codes import CODES, Code, Severity
from dslc.diagnostics.model import Diagnostic, DslcError, Edit, Help, InternalError, Label, Note, Sink

__all__ = [
    "CODES", "Code", "Diagnostic", "DslcError", "Edit", "Help", "InternalError", "Label", "Note", "Severity", "Sink"
]  # fmt: skip
