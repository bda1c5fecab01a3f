"""What fields learned, saved beside the weights of a run: a JSON file, and the proof that it belongs to the program."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

from dslc_runtime.data.fields import DerivedColumn, FieldProgram
from dslc_runtime.data.learning import Learned
from dslc_runtime.errors import RuntimeFault, why

FORMAT_VERSION = 1
MAX_BYTES = 1 << 30


def as_bytes(learned: Mapping[str, Learned]) -> bytes:
    """What was learned as JSON, the same bytes for the same values. Numbers are read back exactly."""
    content = {"format_version": FORMAT_VERSION, "learned": learned}
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8", "surrogatepass")


def digest(learned: Mapping[str, Learned]) -> str:
    """A hash of what was learned; "" for nothing."""
    return blake2b(as_bytes(learned), digest_size=16).hexdigest() if learned else ""


def read_learned(path: Path, expected: str) -> dict[str, Learned]:
    """What was learned, from a file.

    Args:
        expected: its digest, which the run's facts hold; with "" there is nothing to read.

    Raises:
        RuntimeFault: DL5068, it is not there, damaged, or not the one that the run was trained with.
    """
    if not expected:
        return {}
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _unusable(path, f"it has more than {MAX_BYTES} bytes")
        content: object = json.loads(path.read_bytes())
    except OSError as error:
        raise _unusable(path, why(error)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise _unusable(path, "it is damaged") from error
    match content:
        case {"format_version": int(version)} if version > FORMAT_VERSION:
            raise _unusable(path, f"it has format version {version}; this dslc reads up to {FORMAT_VERSION}")
        case {"format_version": int(), "learned": dict(found)}:  # pyright: ignore[reportUnknownVariableType]
            learned = cast("dict[str, Any]", found)
        case _:
            raise _unusable(path, "it is damaged")
    if digest(learned) != expected:
        raise _unusable(path, "it is not the one that the weights were trained with")
    return learned


def _unusable(path: Path, how: str) -> RuntimeFault:
    mend = "copy the run's folder whole, or train again"
    return RuntimeFault("DL5068", f"what the fields learned cannot be read: {how}", str(path), help=mend)


def require_learned(fields: Sequence[FieldProgram], learned: Mapping[str, Learned]) -> None:
    """Check that everything that fields need was learned, and by the functions that they apply.

    Raises:
        RuntimeFault: DL5068, something is not there or is something else.
    """
    for derived in (each for program in fields for each in _derived(program)):
        if derived.learned and not (derived.learned in learned and derived.transform.fits(learned[derived.learned])):
            text = f"the run has not learned `{derived.learned}`"
            raise RuntimeFault("DL5068", text, help="its program was changed: train again")


def _derived(program: FieldProgram) -> Iterator[DerivedColumn]:
    for derived in program.derived.values():
        yield derived
        if isinstance(derived.operand, FieldProgram):
            yield from _derived(derived.operand)
