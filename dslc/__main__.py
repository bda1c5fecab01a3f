"""`python -m dslc` is `dslc`."""

from dslc.cli import main

main(prog_name="dslc")
