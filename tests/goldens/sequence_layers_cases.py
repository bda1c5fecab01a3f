"""The layers on sequences that are compared with PyTorch: a stage of a program, and the shape and element type it is applied to."""

from __future__ import annotations

CASES: dict[str, tuple[str, tuple[int, ...], str]] = {
    "embedding": ("it: Embedding(7, 4)", (3, 5), "i64"),
    "embedding-small-ids": ("it: Embedding(7, 4)", (6,), "i32"),
    "embedding-one-id": ("it: Embedding(3, 2)", (), "i64"),
    "embedding-padding": ("it: Embedding(7, 4, padding_idx = 0)", (3, 5), "i64"),
    "embedding-padding-from-the-end": ("it: Embedding(3, 2, padding_idx = -1)", (9,), "i32"),
    "rnn": ("it: RNN(4)", (2, 17, 3), "f32"),
    "rnn-two-steps": ("it: RNN(4)", (2, 2, 3), "f32"),
    "rnn-one-step": ("it: RNN(4)", (2, 1, 3), "f32"),
    "rnn-relu": ("it: RNN(4, activation = relu)", (2, 6, 3), "f32"),
    "lstm": ("it: LSTM(4)", (2, 17, 3), "f32"),
    "lstm-two-steps": ("it: LSTM(4)", (2, 2, 3), "f32"),
    "lstm-one-step": ("it: LSTM(4)", (1, 1, 3), "f32"),
    "lstm-without-bias": ("it: LSTM(4, bias = false)", (2, 5, 3), "f32"),
    "lstm-last": ("it: LSTM(4, return_sequences = false)", (2, 5, 3), "f32"),
    "lstm-reverse": ("it: LSTM(4, reverse = true)", (2, 5, 3), "f32"),
    "lstm-reverse-last": ("it: LSTM(4, reverse = true, return_sequences = false)", (2, 5, 3), "f32"),
    "gru": ("it: GRU(4)", (2, 17, 3), "f32"),
    "gru-two-steps": ("it: GRU(4)", (2, 2, 3), "f32"),
    "gru-one-step": ("it: GRU(4)", (2, 1, 3), "f32"),
    "gru-without-bias": ("it: GRU(4, bias = false)", (2, 5, 3), "f32"),
    "gru-reset-before": ("it: GRU(4, reset_after = false)", (2, 5, 3), "f32"),
    "gru-reset-before-without-bias": ("it: GRU(4, reset_after = false, bias = false)", (2, 5, 3), "f32"),
    "lstm-both-ways": ("it: Bidirectional(LSTM(4))", (2, 5, 3), "f32"),
    "gru-both-ways-last": ("it: Bidirectional(GRU(4), return_sequences = false)", (2, 5, 3), "f32"),
}
