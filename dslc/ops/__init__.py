"""All operators: an explicit union of the families, so that nothing registers itself."""

from dslc.ops.activation import ACTIVATION
from dslc.ops.arena import ARENA
from dslc.ops.arithmetic import ARITHMETIC
from dslc.ops.attention import ATTENTION
from dslc.ops.auc import AUC
from dslc.ops.channels_last import CHANNELS_LAST
from dslc.ops.class_loss import CLASS_LOSS
from dslc.ops.comparison import COMPARISON
from dslc.ops.conv import CONV
from dslc.ops.counted_metric import COUNTED_METRIC
from dslc.ops.creation import CREATION
from dslc.ops.ctc import CTC
from dslc.ops.distance_loss import DISTANCE_LOSS
from dslc.ops.entropy_parts import ENTROPY_PARTS
from dslc.ops.error_metric import ERROR_METRIC
from dslc.ops.gemm import GEMM
from dslc.ops.image_export import IMAGE_EXPORT
from dslc.ops.index import INDEX
from dslc.ops.joining import JOINING
from dslc.ops.length import LENGTH
from dslc.ops.linalg import LINALG
from dslc.ops.loss import LOSS
from dslc.ops.math import MATH
from dslc.ops.metric import METRIC
from dslc.ops.norm import NORM
from dslc.ops.opdef import OpDef
from dslc.ops.perplexity import PERPLEXITY
from dslc.ops.pooling import POOLING
from dslc.ops.pooling_whole import WHOLE
from dslc.ops.prelu import PRELU
from dslc.ops.random import RANDOM
from dslc.ops.recurrent import RECURRENT
from dslc.ops.reduction import REDUCTION
from dslc.ops.resizing import RESIZING
from dslc.ops.scan import SCAN
from dslc.ops.shape import SHAPE
from dslc.ops.sized import SIZED
from dslc.ops.slicing import SLICING
from dslc.ops.softmax import SOFTMAX
from dslc.ops.sparse_rows import SPARSE_ROWS
from dslc.ops.triangle import TRIANGLE
from dslc.ops.turned import TURNED

FAMILIES: dict[str, tuple[OpDef, ...]] = {
    "arithmetic": ARITHMETIC,
    "comparison": COMPARISON,
    "math": MATH,
    "activation": (*ACTIVATION, *PRELU),
    "random": RANDOM,
    "reduction": (*REDUCTION, *LENGTH),
    "shape": (*SHAPE, *SIZED),
    "slicing": SLICING,
    "joining": JOINING,
    "creation": CREATION,
    "index": INDEX,
    "sparse rows": SPARSE_ROWS,
    "linalg": LINALG,
    "products turned": TURNED,
    "products added": GEMM,
    "triangle": TRIANGLE,
    "convolution": CONV,
    "pooling": (*POOLING, *WHOLE),
    "channels last": CHANNELS_LAST,
    "resizing": RESIZING,
    "normalisation": NORM,
    "softmax": SOFTMAX,
    "cross entropy in parts": ENTROPY_PARTS,
    "attention": ATTENTION,
    "loss": (*LOSS, *DISTANCE_LOSS, *CLASS_LOSS, *CTC),
    "metric": (*METRIC, *COUNTED_METRIC, *AUC, *ERROR_METRIC, *PERPLEXITY),
    "arena": ARENA,
    "scan": SCAN,
    "recurrent": RECURRENT,
    "images of ONNX": IMAGE_EXPORT,
}

OPS: dict[str, OpDef] = {opdef.name: opdef for family in FAMILIES.values() for opdef in family}

__all__ = ["FAMILIES", "OPS", "OpDef"]
