"""Differentiation of graphs."""

from dslc.autodiff.reverse import gradients

__all__ = ["gradients"]
