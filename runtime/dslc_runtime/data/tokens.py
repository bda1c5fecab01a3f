"""Text -> tokens -> ids: how text is cut into words or characters, and the vocabulary that numbers them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dslc_runtime.data.learning import Learned
from dslc_runtime.data.table import TEXT, Table
from dslc_runtime.errors import RuntimeFault

Array: TypeAlias = npt.NDArray[Any]

PADDING, UNKNOWN = 0, 1  # ids; words follow


class _Separators(dict[int, str]):
    """What each character becomes before text is split at spaces; a table of `str.translate` that fills itself."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)
        if character in "'\u2019":
            kept = "'"
        elif kind == "Cf":  # marks that are not seen
            kept = ""
        else:
            kept = " " if kind[0] in "PSZC" else character
        self[code] = kept
        return kept


_SEPARATORS = _Separators()


def words(text: str) -> list[str]:
    """The words of a text: what stands between spaces, punctuation and symbols. An apostrophe inside a word belongs to it."""
    pieces = (piece.strip("'") for piece in text.translate(_SEPARATORS).split())
    return [piece for piece in pieces if piece]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Texts as ids of a vocabulary of the training part: 0 is padding, 1 a token that is not in it, then the most frequent first.

    Tokens of equal frequency are in the order of their characters.

    Attributes:
        vocab: how many ids there are.
        length: how many tokens a row has: later ones are cut off, missing ones are padding. None: each text is one token.
        unit: "words" or "characters".
    """

    column: str
    vocab: int
    length: int | None
    unit: str
    lower: bool

    def learn(self, rows: Array, table: Table) -> Learned:
        """The vocabulary.

        Raises:
            RuntimeFault: DL5067, the column holds no text, or none that has a token.
        """
        counts: Counter[str] = Counter()
        for text in self._texts(rows, table):
            counts.update(self._cut(text))
        if not counts:
            raise RuntimeFault("DL5067", f"the texts of column `{self.column}` have no {self.unit}", table.name)
        order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return {"tokens": [token for token, _ in order[: self.vocab - 2]]}

    def apply(self, rows: Array, learned: Learned, table: Table) -> Array:
        """The ids: ``[rows, length]``, or ``[rows]`` where each text is one token.

        Raises:
            RuntimeFault: DL5009, they do not fit into memory, DL5067, the column holds no text.
        """
        ids = {token: number for number, token in enumerate(learned["tokens"], UNKNOWN + 1)}
        texts = self._texts(rows, table)
        if self.length is None:
            return np.array([ids.get(self._plain(text), UNKNOWN) for text in texts], np.int64)
        try:
            found = np.full((len(texts), self.length), PADDING, np.int64)
        except (MemoryError, ValueError) as error:
            raise RuntimeFault("DL5009", f"tokens of `{self.column}` do not fit into memory", table.name) from error
        for row, text in enumerate(texts):
            numbers = [ids.get(token, UNKNOWN) for token in self._cut(text)[: self.length]]
            found[row, : len(numbers)] = numbers
        return found

    def fits(self, learned: Learned) -> bool:
        tokens = learned.get("tokens")
        if not isinstance(tokens, list) or len(cast("list[object]", tokens)) > self.vocab - 2:
            return False
        return all(isinstance(token, str) for token in cast("list[object]", tokens))

    def _texts(self, rows: Array, table: Table) -> list[str]:
        if rows.dtype != TEXT:
            text = f"column `{self.column}` holds {rows.dtype} values, and `tokenize` reads text"
            raise RuntimeFault("DL5067", text, table.name)
        return rows.tolist()

    def _plain(self, text: str) -> str:
        text = unicodedata.normalize("NFC", text)
        return text.lower() if self.lower else text

    def _cut(self, text: str) -> Sequence[str]:
        plain = self._plain(text)
        if self.length is None:
            return [plain]
        return words(plain) if self.unit == "words" else plain
