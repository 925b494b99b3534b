"""What `optimizer` may name: an element-wise rule, or a solver. One name space for the user."""

from bptrain.parts.optimizers import Optimizer, optimizers
from bptrain.parts.solvers import Solver, solvers
from bptrain.registry import Registry

UpdateRule = Optimizer | Solver

methods: Registry[UpdateRule] = Registry.joined("optimizer", optimizers, solvers)
