"""Data at run time: tables of raw columns -> fields in memory -> parts (train, val, test) -> batches."""

from dslc_runtime.data.fields import FieldProgram, materialise, require_ids
from dslc_runtime.data.npz import open_npz
from dslc_runtime.data.parts import Part, batches, split_rows
from dslc_runtime.data.table import Column, Table, memory_table

__all__ = [
    "Column",
    "FieldProgram",
    "Part",
    "Table",
    "batches",
    "materialise",
    "memory_table",
    "open_npz",
    "require_ids",
    "split_rows",
]
