"""A workload ready to run in a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.workloads import Array


def no_facts() -> dict[str, object]:
    """What a stack tells of itself that tells nothing."""
    return {}


@dataclass(frozen=True, slots=True)
class Built:
    """A case ready to run.

    Attributes:
        run: runs so many steps.
        results: what must agree before anything is timed: gradients by parameter, at the first values and without dropout; of
            inference, outputs by name.
        facts: what the stack tells of itself, for the JSON file.
    """

    run: Callable[[int], None]
    results: Callable[[], Mapping[str, Array]]
    facts: Callable[[], Mapping[str, object]] = field(default=no_facts)
