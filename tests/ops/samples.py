"""Samples of every operator: the union of the families."""

from __future__ import annotations

from sample import Sample
from samples_elementwise import ELEMENTWISE

SAMPLES: dict[str, list[Sample]] = {**ELEMENTWISE}
