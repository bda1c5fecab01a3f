"""All kernels by name: an explicit union of the families."""

from dslc_runtime.kernels.activation import ACTIVATION
from dslc_runtime.kernels.arena import ARENA
from dslc_runtime.kernels.conv import CONV
from dslc_runtime.kernels.conv_last import CONV_LAST
from dslc_runtime.kernels.elementwise import ELEMENTWISE
from dslc_runtime.kernels.entropy_parts import ENTROPY_PARTS
from dslc_runtime.kernels.gemm import GEMM
from dslc_runtime.kernels.index import INDEX
from dslc_runtime.kernels.kernel import Kernel
from dslc_runtime.kernels.linalg import LINALG
from dslc_runtime.kernels.loss import LOSS
from dslc_runtime.kernels.metric import METRIC
from dslc_runtime.kernels.norm import NORM
from dslc_runtime.kernels.pooling import POOLING
from dslc_runtime.kernels.pooling_last import POOLING_LAST
from dslc_runtime.kernels.reduction import REDUCTION
from dslc_runtime.kernels.shape import SHAPE
from dslc_runtime.kernels.softmax import SOFTMAX
from dslc_runtime.kernels.sparse_rows import SPARSE_ROWS
from dslc_runtime.kernels.triangle import TRIANGLE

KERNELS: dict[str, Kernel] = {
    **ELEMENTWISE,
    **ACTIVATION,
    **REDUCTION,
    **SHAPE,
    **INDEX,
    **SPARSE_ROWS,
    **LINALG,
    **GEMM,
    **SOFTMAX,
    **ENTROPY_PARTS,
    **LOSS,
    **METRIC,
    **ARENA,
    **TRIANGLE,
    **CONV,
    **POOLING,
    **CONV_LAST,
    **POOLING_LAST,
    **NORM,
}

__all__ = ["KERNELS", "Kernel"]
