"""Mistakes in the form of a text, as diagnostics."""

from dslc.syntax.mistakes.explain import explain

__all__ = ["explain"]
