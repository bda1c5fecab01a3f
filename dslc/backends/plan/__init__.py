"""Planning: graph -> plan. Which steps run in which order, and in which memory each value lies.

`schedule` orders, `aliases` finds views, `loops` what may run in tiles, `places` says what is written over what, `memory`
says what is in use when, `planner` writes the steps. Nothing in a plan depends on run-time sizes; where buffers lie follows from
them (`dslc_runtime.memory`). That a plan is right is proved by `dslc.backends.plan_check`, which shares no code with this.
"""

from dslc.backends.plan.model import Plan
from dslc.backends.plan.planner import plan
from dslc.backends.plan.text import plan_text

__all__ = ["Plan", "plan", "plan_text"]
