"""Parts of the data (train, val, test) as rows of fields in memory, and their batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.errors import RuntimeFault
from dslc_runtime.random import permutation

Array: TypeAlias = npt.NDArray[Any]
Rows: TypeAlias = npt.NDArray[np.int64]


def read_only(fields: Mapping[str, Array]) -> dict[str, Array]:
    """The same fields, which cannot be written through these arrays: so several processes may each have a copy."""
    views = {name: field.view() for name, field in fields.items()}
    for view in views.values():
        view.flags.writeable = False
    return views


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of the fields, without a copy; all of them in order where `rows` is None."""

    fields: Mapping[str, Array]
    rows: Rows | None = None

    def __len__(self) -> int:
        return len(self.rows) if self.rows is not None else len(next(iter(self.fields.values()), ()))


class LazyParts(Mapping[str, Part]):
    """Parts that are made when they are asked for first: of a series, one may be too short for what nobody asks of it."""

    def __init__(self, make: Mapping[str, Callable[[], Part]]) -> None:
        self._make = make
        self._made: dict[str, Part] = {}

    def __getitem__(self, name: str) -> Part:
        if name not in self._made:
            self._made[name] = self._make[name]()
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._make

    def __iter__(self) -> Iterator[str]:
        return iter(self._make)

    def __len__(self) -> int:
        return len(self._make)


def batches(part: Part, batch: int) -> Iterator[Rows]:
    """The rows of each batch, in order; the last one may be short."""
    rows = np.arange(len(part)) if part.rows is None else part.rows
    for start in range(0, len(rows), batch):
        yield rows[start : start + batch]


def split_rows(n: int, shares: Mapping[str, float], seed: int, labels: Array | None = None) -> dict[str, Rows]:
    """Divide ``range(n)`` into parts: disjoint, complete, the same for the same seed.

    Args:
        shares: part -> share of the rows; "train" keeps what the others leave, whether it is written or not.
        labels: with them, every part gets its share of each class, to within one row (largest remainders).

    Raises:
        RuntimeFault: DL5008, a part with a share gets no row.
    """
    order = permutation(n, seed, "split")
    groups = [order] if labels is None else [order[labels[order] == value] for value in np.unique(labels)]
    taken = [0] * len(groups)
    parts: dict[str, Rows] = {}
    for name, share in shares.items():
        if name == "train":
            continue
        counts = _apportion(share, n, [len(group) for group in groups], taken)
        pieces = [group[start : start + count] for group, start, count in zip(groups, taken, counts, strict=True)]
        taken = [start + count for start, count in zip(taken, counts, strict=True)]
        parts[name] = np.sort(np.concatenate(pieces))
    rest = np.concatenate([group[start:] for group, start in zip(groups, taken, strict=True)])
    return _none_empty({"train": np.sort(rest), **parts}, n)


def split_in_order(n: int, shares: Mapping[str, float]) -> dict[str, Rows]:
    """Divide ``range(n)`` into neighbouring parts: the first rows are "train", the last ones the last share.

    Raises:
        RuntimeFault: DL5008, a part with a share gets no row.
    """
    counts = {name: round(share * n) for name, share in shares.items() if name != "train"}
    start = n - sum(counts.values())
    parts = {"train": np.arange(max(start, 0))}
    for name in sorted(counts, key="val test".index):
        parts[name] = np.arange(start, start + counts[name])
        start += counts[name]
    return _none_empty(parts, n)


def _none_empty(parts: dict[str, Rows], n: int) -> dict[str, Rows]:
    for name, rows in parts.items():
        if not len(rows):
            text = f"the part `{name}` gets no row of the {n} there are"
            raise RuntimeFault("DL5008", text, help="give it a larger share in `split`")
    return parts


def _apportion(share: float, n: int, sizes: list[int], taken: list[int]) -> list[int]:
    """How many rows of each group a share takes: ``round(share * n)`` in all, by largest remainders."""
    exact = [share * size for size in sizes]
    counts = [min(int(e), size - used) for e, size, used in zip(exact, sizes, taken, strict=True)]
    missing = round(share * n) - sum(counts)
    by_remainder = sorted(range(len(sizes)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_remainder:
        if missing <= 0:
            break
        if counts[i] + taken[i] < sizes[i]:
            counts[i] += 1
            missing -= 1
    return counts
