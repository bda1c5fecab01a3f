"""Samples of every operator: the union of the families."""

from __future__ import annotations

from sample import Sample
from samples_attention import ATTENTION
from samples_channels_last import CHANNELS_LAST
from samples_conv import CONV
from samples_elementwise import ELEMENTWISE
from samples_index import INDEX
from samples_linalg import LINALG
from samples_loss import LOSS
from samples_metric import METRIC
from samples_norm import NORM
from samples_pooling import POOLING
from samples_reduction import REDUCTION
from samples_resizing import RESIZING
from samples_shape import SHAPE
from samples_softmax import SOFTMAX
from samples_sparse_rows import SPARSE_ROWS
from samples_triangle import TRIANGLE

SAMPLES: dict[str, list[Sample]] = {
    **ELEMENTWISE,
    **REDUCTION,
    **SHAPE,
    **INDEX,
    **LINALG,
    **SOFTMAX,
    **SPARSE_ROWS,
    **LOSS,
    **METRIC,
    **TRIANGLE,
    **ATTENTION,
    **CONV,
    **POOLING,
    **CHANNELS_LAST,
    **RESIZING,
    **NORM,
}
