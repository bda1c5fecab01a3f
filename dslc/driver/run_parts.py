"""On what the epochs of a resumed run were computed: `parts` of its `run.json`, and in words where they differ.

Another number of processes or threads rounds differently, so such a run is repeated only by repeating its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from dslc.driver.sharing import Cores

Part: TypeAlias = dict[str, int]


def parts_of(about: Mapping[str, Any], first: int, cores: Cores) -> list[Part]:
    """The parts of a run that goes on: those that its `run.json` knows of, and one that begins now unless it is like the last.

    Args:
        about: what `run.json` says of the epochs before `first`. A part that begins later has finished none.
    """
    before = [part for part in _recorded(about) if part["from_epoch"] < first]
    now = {"from_epoch": first, "threads": cores.threads, "processes": cores.processes}
    return before if before and before[-1] | {"from_epoch": first} == now else [*before, now]


def change(parts: Sequence[Part], first: int) -> str:
    """That the epochs from `first` on round differently than those before; "" if they do not."""
    if len(parts) < 2 or parts[-1]["from_epoch"] != first:
        return ""
    before, now = parts[-2:]
    ran = f"{before['processes']} process{'es' * (before['processes'] > 1)} (`--threads {before['threads']}`)"
    return f"epochs before ran on {ran}; this goes on with {now['processes']} (`--threads {now['threads']}`): other rounding"


def _recorded(about: Mapping[str, Any]) -> list[Part]:
    found: object = about.get("parts")
    listed = cast("list[object]", found) if isinstance(found, list) else [{**about, "from_epoch": 1}]
    return [part for each in listed if (part := _part(each)) is not None]


def _part(found: object) -> Part | None:
    match found:
        case {"from_epoch": int(first), "threads": int(threads), "processes": int(processes)}:
            return {"from_epoch": first, "threads": threads, "processes": processes}
        case _:
            return None
