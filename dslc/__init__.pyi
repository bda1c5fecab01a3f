from dslc.api import Model, Program, Run, Trainer, load, open_run, parse
from dslc.diagnostics import DslcError
from dslc.version import __version__

__all__ = ["DslcError", "Model", "Program", "Run", "Trainer", "__version__", "load", "open_run", "parse"]
