"""Syntax: source text -> syntax tree. `parse.parse` is the way in, `tree` what comes out."""
