"""Recurrent layers on padded sequences and with first states that are compared with PyTorch.

A case is a layer, the operands it is applied to beside `x`, and its results. Sequences are `[4, 5, 3]`.
"""

from __future__ import annotations

LENGTHS = (5, 1, 3, 4)

CASES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "rnn": ("RNN(4)", ("lengths",), ("y",)),
    "rnn-relu-last": ("RNN(4, activation = relu, return_sequences = false)", ("lengths",), ("y",)),
    "lstm": ("LSTM(4)", ("lengths",), ("y",)),
    "lstm-last": ("LSTM(4, return_sequences = false)", ("lengths",), ("y",)),
    "lstm-reverse": ("LSTM(4, reverse = true)", ("lengths",), ("y",)),
    "lstm-reverse-last": ("LSTM(4, reverse = true, return_sequences = false)", ("lengths",), ("y",)),
    "lstm-state": ("LSTM(4, return_state = true)", (), ("y", "h", "c")),
    "lstm-first-states": ("LSTM(4)", ("h0", "c0"), ("y",)),
    "lstm-all": ("LSTM(4, return_state = true)", ("lengths", "h0", "c0"), ("y", "h", "c")),
    "gru": ("GRU(4)", ("lengths",), ("y",)),
    "gru-reverse-all": ("GRU(4, reverse = true, return_state = true)", ("lengths", "h0"), ("y", "h")),
    "lstm-both-ways": ("Bidirectional(LSTM(4))", ("lengths",), ("y",)),
    "gru-both-ways-last": ("Bidirectional(GRU(4), return_sequences = false)", ("lengths",), ("y",)),
    "cell-both-ways-last": ("Bidirectional(scan(GRUCell(4)), return_sequences = false)", ("lengths",), ("y",)),
}
