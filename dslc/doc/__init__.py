"""Documentation of everything a program can name, made from the declarations the compiler itself uses.

Input: operators, layers, optimizers, initialisers, data sources. Output: `Entry` values, their text for a terminal and the pages
of `docs/`, which `python -m dslc.doc` writes. Nothing here is a second description of anything.
"""

from dslc.doc.catalogue import KINDS, catalogue, declared, find, find_declared
from dslc.doc.entry import Entry

__all__ = ["KINDS", "Entry", "catalogue", "declared", "find", "find_declared"]
