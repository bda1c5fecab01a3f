"""The standard layers: finds a library block by name and parses its file, only when a program uses it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dslc.check.files import file_scope
from dslc.check.values import FileScope
from dslc.diagnostics import InternalError, Sink
from dslc.source import Source
from dslc.syntax import tree
from dslc.syntax.parse import parse

FOLDER = Path(__file__).parent.parent / "library"

#: The file of each layer.
LAYERS = {
    "BatchNorm": "norm.dl", "GroupNorm": "norm.dl", "InstanceNorm": "norm.dl", "LayerNorm": "norm.dl", "RMSNorm": "norm.dl",
    "Bidirectional": "bidirectional.dl", "ChannelDropout": "dropout.dl", "Conv1d": "conv.dl", "Conv2d": "conv.dl", "Conv3d": "conv.dl",
    "ConvTranspose1d": "conv_transpose.dl", "ConvTranspose2d": "conv_transpose.dl", "Dense": "dense.dl",
    "DepthwiseConv2d": "conv.dl", "Dropout": "dropout.dl", "Embedding": "embedding.dl", "FeedForward": "transformer.dl",
    "GLU": "gates.dl", "Highway": "gates.dl", "LearnedPositions": "positions.dl", "MultiHeadAttention": "attention.dl", "PReLU": "prelu.dl",
    "Projection": "dense.dl", "Residual": "gates.dl", "SinusoidalPositions": "positions.dl",
    "TransformerDecoderLayer": "transformer.dl", "TransformerEncoderLayer": "transformer.dl",
    "GRU": "recurrent.dl", "GRUCell": "recurrent.dl", "LSTM": "recurrent.dl", "LSTMCell": "recurrent.dl", "RNN": "recurrent.dl",
    "RNNCell": "recurrent.dl", "RecurrentMask": "recurrent.dl", "SequenceDropout": "recurrent.dl",
}  # fmt: skip


def library_layer(name: str) -> tuple[FileScope, tree.Definition] | None:
    """The definition of a standard layer and the file it stands in, or None."""
    if name not in LAYERS:
        return None
    home = _load(LAYERS[name])
    return home, home.definitions[name]


@cache
def _load(file: str) -> FileScope:
    path = FOLDER / file
    sink = Sink()
    scope = file_scope(parse(Source(file, path.read_text(encoding="utf-8"), path), sink), sink, library=True)
    if sink.failed:
        raise InternalError("check", f"library file {file}", "; ".join(d.message for d in sink))
    return scope
