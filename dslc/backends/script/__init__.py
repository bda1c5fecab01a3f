"""Compiled training -> one Python file that needs NumPy alone: `write_script`."""

from dslc.backends.script.writer import Script, write_script

__all__ = ["Script", "write_script"]
