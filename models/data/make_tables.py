"""Makes `wine.csv`, `breast_cancer.csv` and `sunspots.csv` from the copies that scikit-learn and statsmodels ship.

python models/data/make_tables.py

Numbers are written as those packages hold them. Wine and tumours come as tables without names of classes in them, so these are
put in; sunspots keep the two columns they have.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from sklearn.datasets import load_breast_cancer, load_wine

FOLDER = Path(__file__).parent


def write(name: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with a header."""
    with (FOLDER / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def main() -> None:
    for name, data, column, classes in (
        ("wine.csv", load_wine(), "cultivar", ("first", "second", "third")),
        ("breast_cancer.csv", load_breast_cancer(), "diagnosis", ("malignant", "benign")),
    ):
        head = [*(feature.replace("_", " ") for feature in data.feature_names), column]
        rows = zip(data.data.tolist(), data.target.tolist(), strict=True)
        write(name, head, ([*(f"{value:g}" for value in values), classes[label]] for values, label in rows))
    text = files("statsmodels.datasets.sunspots").joinpath("sunspots.csv").read_text()
    lines = csv.DictReader(text.splitlines())
    write(
        "sunspots.csv", ("year", "spots"), ([f"{float(line[c]):g}" for c in ("YEAR", "SUNACTIVITY")] for line in lines)
    )


if __name__ == "__main__":
    main()
