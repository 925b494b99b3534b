"""The network, the rules and the schedules of the engines' contract.

Tests of the same network, rule and schedule share their kernels, and compiling them is what takes time here.
"""

from bptrain.parts.optimizers import optimizers, with_weight_decay
from bptrain.parts.schedules import schedules, with_warmup
from networks import network

FORMS = {"single": 1, "whole": 4, "chunked": 5}  # rows of a batch; a chunk has 4 there

RULES_NET = network((3, 5, 2), ["tanh", "softmax"], "cross_entropy")

RULES = {
    **{name: optimizers.get(name)() for name in optimizers},
    "irprop_plus": optimizers.get("rprop")(variant="plus"),
    **{
        f"{name} with decay": with_weight_decay(optimizers.get(name)(), 0.1)
        for name in ("gradient_descent", "momentum", "adam", "nadam")
    },
}
SHORT = {"step": {"every": 1}}  # options of schedules that are 1 throughout the first epochs by default
SCHEDULES = {
    **{name: schedules.get(name)(**SHORT.get(name, {})) for name in schedules},
    "warmup": with_warmup(schedules.get("cosine_restarts")(period=1, t_mult=2), 1.5),
}


def schedule_of(rule: str) -> str:
    """The name of the schedule that a rule is tested with: plain descent with cosine, and so on in turn."""
    turn = list(RULES).index(rule) + list(SCHEDULES).index("cosine")
    return list(SCHEDULES)[turn % len(SCHEDULES)]
