"""Whether a rule takes each weight by itself, so that it may be given some of them at a time."""

from bptrain.engines.base import TrainingPlan


def is_elementwise(plan: TrainingPlan) -> bool:
    """Whether the rule is known to take no sums over the weights: it can be written out for a single one."""
    # here, as a network small enough to be updated whole needs no translator
    from bptrain.engines.compiled.target import NUMBA
    from bptrain.translate.expressions import Untranslatable
    from bptrain.translate.update_rules import write_rule

    if plan.solver is not None:
        return False
    try:
        write_rule(plan.optimizer, NUMBA)  # in whichever language
    except Untranslatable:
        return False
    return True
