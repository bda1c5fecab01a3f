"""All operators: an explicit union of the families, so that nothing registers itself."""

from dslc.ops.opdef import OpDef

OPS: dict[str, OpDef] = {}

__all__ = ["OPS", "OpDef"]
