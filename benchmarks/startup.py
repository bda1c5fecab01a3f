"""Where the time of `dslc check` goes: `python -m benchmarks.startup models/xor.dl`.

Fresh processes do what the command does, one part after another, each part timed; what the parts do not explain of a process's
wall time is the interpreter's start and end. The whole command is timed too. Milliseconds, best and median.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

_PARTS = (
    ("modules of the command line", "import dslc.cli.output"),
    ("modules of the syntax", "import dslc.syntax.parse"),
    ("modules of the operators", "import dslc.ops"),
    ("modules of the checker", "import dslc.driver.frontend"),
    ("reading and parsing the file", "s = dslc.driver.frontend.read_source(p); f = dslc.syntax.parse.parse(s, k)"),
    ("parsing the library's Dense", "dslc.check.library.library_layer('Dense')"),
    ("checking, with another parse", "dslc.driver.frontend.check_program(s)"),
)
_WHOLE = "import sys; from dslc.cli import main; sys.argv = ['dslc', 'check', {file!r}]; main()"


def script(file: str) -> str:
    """A program that does the parts and prints the milliseconds of each as JSON."""
    lines = ["import time", "times = [time.perf_counter()]"]
    for _, code in _PARTS:
        if code.startswith("s ="):
            lines += ["import pathlib, dslc.diagnostics, dslc.check.library", f"p = pathlib.Path({file!r})"]
            lines += ["k = dslc.diagnostics.Sink()", "times[-1] = time.perf_counter()"]
        lines += [code, "times.append(time.perf_counter())"]
    return "\n".join([*lines, "print([(b - a) * 1e3 for a, b in zip(times, times[1:])])"])


def run(code: str) -> tuple[float, str]:
    """Wall milliseconds of a fresh interpreter that runs some code, and what it prints."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return (time.perf_counter() - start) * 1e3, done.stdout


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs="?", default="models/xor.dl", help="models/xor.dl by default")
    parser.add_argument("--rounds", type=int, default=20, help="processes (default 20)")
    options = parser.parse_args()
    if not Path(options.program).is_file():
        parser.error(f"there is no file {options.program}")
    found: dict[str, list[float]] = {title: [] for title in ("the interpreter", *dict(_PARTS), "the whole command")}
    for _ in range(options.rounds):
        wall, printed = run(script(options.program))
        parts = json.loads(printed)
        for title, milliseconds in zip(found, [wall - sum(parts), *parts], strict=False):
            found[title].append(milliseconds)
        found["the whole command"].append(run(_WHOLE.format(file=options.program))[0])
    print(f"{options.program:31} {'best':>7} {'median':>7}")
    for title, taken in found.items():
        print(f"{title:31} {min(taken):>7.1f} {median(taken):>7.1f}")


if __name__ == "__main__":
    main()
