"""The graph of a training step -> a graph for the rows of each shard of a batch, and one that puts their results together.

Works on the graph as `dslc.training` makes it, before passes. Cuts only where rules that operators declare (`dslc.ops.rows`)
prove it right, and says why where they do not. Runs nothing, and does not say when it is worth while.
"""

from dslc.sharding.cut import SHARE, Sharding, shard
from dslc.sharding.placing import Refused
from dslc.sharding.slices import Sliced, sliced

__all__ = ["SHARE", "Refused", "Sharding", "Sliced", "shard", "sliced"]
