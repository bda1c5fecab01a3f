"""`python tests/fuzz --cases 1_000_000`: programs and broken texts by the million; what fails is saved, made as small as it gets.

A case ends in acceptance or in diagnostics, within two seconds of processor time and 256 MB above what the compiler itself
takes. Programs by the grammar, the same after a few edits, and the project's own programs after a few edits take turns.
"""

from __future__ import annotations

import argparse
import resource
import sys
import traceback
from hashlib import sha256
from pathlib import Path
from time import monotonic

import click
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from judge import Tally, corpus, judge
from minimise import minimised
from mutants import mutants
from programs import programs

ROOT = Path(__file__).parent.parent.parent
MEGABYTES = 256
BATCH = 500


class _Fuzzer:
    """Runs batches of cases; each kind of failure is made small and saved once."""

    def __init__(self, save: Path) -> None:
        self.tally = Tally()
        self.failures: dict[str, str] = {}
        self._known: set[str] = set()
        self._save = save
        self._cases = st.one_of(
            mutants(corpus(ROOT)), programs(), st.lists(programs(), min_size=1, max_size=1).flatmap(mutants)
        )

    def batch(self, number: int, count: int) -> None:
        """Run `count` cases that depend on `number` alone."""
        found: dict[str, str] = {}

        @seed(number)
        @settings(
            max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,), print_blob=False,
        )  # fmt: skip
        @given(self._cases)
        def run(text: str) -> None:
            try:
                judge(text, self.tally)
            except Exception as error:
                kind = _kind(error)
                if kind not in self._known:
                    found[kind] = text
                    raise

        try:
            run()
        except BaseException as error:
            if not found:
                raise
            if isinstance(error, KeyboardInterrupt):
                raise
        for kind, text in found.items():
            self._keep(kind, minimised(text, lambda smaller, kind=kind: _failure(smaller) == kind))

    def _keep(self, kind: str, text: str) -> None:
        self._known.add(kind)
        self.failures[kind] = text
        self._save.mkdir(parents=True, exist_ok=True)
        path = self._save / f"{sha256(kind.encode()).hexdigest()[:12]}.dl"
        path.write_text(text, "utf-8", errors="surrogatepass")
        click.echo(f"{path}: {kind}\n{text}\n")


def _failure(text: str) -> str:
    try:
        judge(text, Tally())
    except Exception as error:
        return _kind(error)
    return ""


def _kind(error: Exception) -> str:
    """What tells one failure from another: the exception and where it was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "fuzz" not in frame.filename]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = str(error).partition("\n")[0] if isinstance(error, AssertionError) else ""
    return f"{type(error).__name__} {place} {text}".strip()


def _limit_memory() -> None:
    """Let this process take so much more than it has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000, help="how many (2000)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--seed", type=int, default=0, help="of the first batch (0)")
    parser.add_argument(
        "--save", type=Path, default=Path("fuzz-failures"), help="where failing texts go (fuzz-failures)"
    )
    options = parser.parse_args()
    fuzzer, start = _Fuzzer(options.save), monotonic()
    if sys.platform == "linux":
        _limit_memory()
    number = options.seed
    while fuzzer.tally.cases < options.cases and monotonic() - start < options.seconds:
        fuzzer.batch(number, min(BATCH, options.cases - fuzzer.tally.cases))
        number += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    click.echo(
        f"{fuzzer.tally.text()}; {peak:.0f} MB at most; {monotonic() - start:.0f} s; {len(fuzzer.failures)} failures"
    )
    return 1 if fuzzer.failures else 0


if __name__ == "__main__":
    sys.exit(main())
