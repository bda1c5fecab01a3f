"""The standard layers: finds a library block by name and parses its file, only when a program uses it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from dslc.check.files import file_scope
from dslc.check.values import FileScope
from dslc.diagnostics import InternalError, Sink
from dslc.source import Source
from dslc.syntax import tree
from dslc.syntax.parse import parse

FOLDER = Path(__file__).parent.parent / "library"

#: The layers of each file of the library, in the order of the documentation.
_FILES: Mapping[str, tuple[str, ...]] = {
    "dense.dl": ("Dense", "Projection"),
    "dropout.dl": ("Dropout", "ChannelDropout"),
    "conv.dl": ("Conv1d", "Conv2d", "Conv3d", "DepthwiseConv2d"),
    "conv_transpose.dl": ("ConvTranspose1d", "ConvTranspose2d"),
    "norm.dl": ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "RMSNorm"),
    "prelu.dl": ("PReLU",),
    "gates.dl": ("Residual", "Highway", "GLU"),
    "embedding.dl": ("Embedding",),
    "recurrent.dl": (
        "RNN",
        "LSTM",
        "GRU",
        "RNNCell",
        "LSTMCell",
        "GRUCell",
        "SequenceDropout",
        "RecurrentMask",
    ),
    "bidirectional.dl": ("Bidirectional",),
    "attention.dl": ("MultiHeadAttention",),
    "positions.dl": ("SinusoidalPositions", "LearnedPositions"),
    "transformer.dl": ("TransformerEncoderLayer", "TransformerDecoderLayer", "FeedForward"),
}

#: The file of each layer.
LAYERS = {layer: file for file, layers in _FILES.items() for layer in layers}


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
