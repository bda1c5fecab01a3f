"""How the cost of compiling grows with the program: `python -m benchmarks.scale`.

Programs of several kinds are made at n, 2n and 4n lines and checked by the command line (a deep network is also compiled, down
to the source of its training step). The ratio is the time over that of half the size: near 2 is linear, and less where
starting Python is a part of it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

LINES = 2_500  # the smallest size, so that the largest is a program of 10,000 lines
REPEATS = 250  # the smallest depth, so that the largest is `repeat(1000)`


def statements(lines: int) -> str:
    """One model with a statement on each line."""
    body = [f"  h{i} = h{i - 1} * 2 + 1" for i in range(1, lines - 4)]
    return "dim B\n" + _model("M", ["  h0 = x + 1", *body, f"  y = h{lines - 5}"])


def layers(lines: int) -> str:
    """One model with a layer of its own on every tenth line, and arithmetic on the others."""
    body: list[str] = []
    for i in range(1, lines - 4):
        body.append(f"  h{i} = h{i - 1} |> Dense(8)" if i % 10 == 0 else f"  h{i} = relu(h{i - 1}) + h{i - 1}")
    return "dim B\n" + _model("M", ["  h0 = x + 1", *body, f"  y = h{lines - 5}"])


def models(lines: int) -> str:
    """Small models, ten lines each."""
    body = ["  a = x |> fc1: Dense(8) |> relu", "  b = a * 2", "  c = b + a", "  d = c - 1", "  y = d |> fc2: Dense(8)"]
    return "dim B\n" + "\n".join(_model(f"M{i}", body) for i in range(lines // 9))


def blocks(lines: int) -> str:
    """Small blocks, ten lines each, each using the one before; a model on top of the last of every twenty."""
    parts: list[str] = ["dim B"]
    for i in range(lines // 10):
        inner = f"x |> inner: B{i - 1}()" if i % 20 else "x"
        body = [
            f"  a = {inner}",
            "  b = a + x",
            "  c = relu(b) - a",
            "  d = c * b",
            "  e = d + 1",
            "  f = e / 2",
            "  y = f",
        ]
        parts.append(_model(f"B{i}", body, "block", "..."))
        if i % 20 == 19:
            parts.append(_model(f"M{i}", [f"  y = x |> B{i}()"]))
    return "\n".join(parts)


def pipes(lines: int) -> str:
    """Pipes of twenty stages, one on a line each."""
    body = ["  h0 = x + 1"]
    for i in range(1, lines // 20):
        body += [f"  h{i} = h{i - 1}", *("    |> relu |> tanh" for _ in range(19))]
    return "dim B\n" + _model("M", [*body, f"  y = h{lines // 20 - 1}"])


def lets(lines: int) -> str:
    """A chain of compile-time values."""
    body = [f"  let n{i} = n{i - 1} + 1 - 1" for i in range(1, lines - 6)]
    return "dim B\n" + _model("M", ["  let n0 = 8", *body, f"  y = x |> fc: Dense(n{lines - 7})"])


def tests(lines: int) -> str:
    """A model, its data and training, and tests of it."""
    head = "dim B\n" + _model("M", ["  y = x |> fc: Dense(8)"]) + DATA
    given = "  given x = ones([2, 8])\n  expect shape(net.y) == [2, 8]\n  expect net.y ~= net.y\n"
    test = 'test "number {i}" {{\n  use net = M()\n' + given + "}}\n"
    return head + "".join(test.format(i=i) for i in range(lines // 6))


def mistakes(lines: int) -> str:
    """One model with a mistake on every tenth line."""
    body = [
        f"  h{i} = h{i - 1} * 2 + 1" if i % 10 else f"  h{i} = h{i - 1} + wrong{i}\n  h{i} = x"
        for i in range(1, lines - 4)
    ]
    return "dim B\n" + _model("M", ["  h0 = x + 1", *body, f"  y = h{lines - 5}"])


def deep(repeats: int) -> str:
    """A network of equal layers, one after another."""
    return "dim B\n" + _model("M", [f"  y = x |> stack: repeat({repeats}) {{ fc: Dense(8) |> relu }}"]) + DATA


DATA = """
data d {
  source = inline({ x: [[1, 2, 3, 4, 5, 6, 7, 8]], y: [[1, 2, 3, 4, 5, 6, 7, 8]] })
  field x: f32[8] = source["x"]
  field y: f32[8] = source["y"]
}
train t {
  use net = M()
  data = d
  loss = mse(net.y, data.y)
}
"""

_CHECK, _COMPILE = ["check"], ["compile", "--emit", "python"]
KINDS: Mapping[str, tuple[list[str], Callable[[int], str], int]] = {
    "one model, a statement per line": (_CHECK, statements, LINES),
    "one model, a layer every ten lines": (_CHECK, layers, LINES),
    "small models": (_CHECK, models, LINES),
    "small blocks, nested twenty deep": (_CHECK, blocks, LINES),
    "pipes of forty stages": (_CHECK, pipes, LINES),
    "a chain of lets": (_CHECK, lets, LINES),
    "one train, many tests": (_CHECK, tests, LINES),
    "a mistake every ten lines": (_CHECK, mistakes, LINES),
    "repeat(n) of a Dense, checked": (_CHECK, deep, REPEATS),
    "repeat(n) of a Dense, compiled": (_COMPILE, deep, REPEATS),
}


def _model(name: str, body: list[str], kind: str = "model", batch: str = "B") -> str:
    head = [f"{kind} {name} {{", f"  input x: f32[{batch}, 8]", f"  output y: f32[{batch}, 8]"]
    return "\n".join([*head, *body, "}"]) + "\n"


def seconds(text: str, command: list[str]) -> float:
    """Seconds of CPU that a command takes for a program, its start included. A program with mistakes is measured, too."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scale.dl"
        file.write_text(text, encoding="utf-8")
        before = _spent()
        subprocess.run([sys.executable, "-m", "dslc", *command, str(file)], check=False, capture_output=True)
        return _spent() - before


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Parse the arguments, measure, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each size; the median counts (default 3)")
    options = parser.parse_args()
    print(f"{'program':38} {'size':>7} {'seconds':>9} {'ratio':>6}")
    for kind, (command, make, smallest) in KINDS.items():
        before = 0.0
        for size in (smallest, 2 * smallest, 4 * smallest):
            found = median(seconds(make(size), command) for _ in range(options.runs))
            print(f"{kind:38} {size:>7} {found:>9.2f} {f'{found / before:.2f}' if before else '':>6}", flush=True)
            before = found


if __name__ == "__main__":
    main()
