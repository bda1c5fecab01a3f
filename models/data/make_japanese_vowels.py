"""Makes `japanese_vowels.npz` of the files that the archive of time series classification hands out, for `japanese_vowels.dl`.

python models/data/make_japanese_vowels.py JapaneseVowels_TRAIN.ts JapaneseVowels_TEST.ts

The two files are in the archive of https://www.timeseriesclassification.com/description.php?Dataset=JapaneseVowels. A line behind
`@data` is an utterance: its 12 coefficients joined by `:`, each a list of its values in time, and the speaker, 1 to 9.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

STEPS, COEFFICIENTS = 29, 12


def utterances(path: Path) -> tuple[list[NDArray[np.float32]], list[int]]:
    """The utterances of a file, [steps, coefficients], and who speaks, from 0."""
    _, _, data = path.read_text(encoding="utf-8").partition("@data")
    found: list[NDArray[np.float32]] = []
    speakers: list[int] = []
    for line in data.split():
        *series, speaker = line.split(":")
        if len(series) != COEFFICIENTS:
            raise SystemExit(f"{path} holds an utterance of {len(series)} coefficients, not {COEFFICIENTS}")
        found.append(np.array([values.split(",") for values in series], np.float32).T)
        speakers.append(int(speaker) - 1)
    return found, speakers


def main(train: str, test: str, target: str) -> None:
    """Write the utterances of both parts, padded with zeros, their lengths and speakers to `target`."""
    arrays: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {}
    for part, path in (("train", train), ("test", test)):
        found, speakers = utterances(Path(path))
        padded = np.zeros((len(found), STEPS, COEFFICIENTS), np.float32)
        for row, utterance in zip(padded, found, strict=True):
            row[: len(utterance)] = utterance
        arrays[f"x_{part}"] = padded
        arrays[f"length_{part}"] = np.array([len(utterance) for utterance in found], np.int64)
        arrays[f"y_{part}"] = np.array(speakers, np.int64)
    np.savez_compressed(target, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], str(Path(__file__).parent / "japanese_vowels.npz"))
