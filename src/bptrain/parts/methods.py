"""What `optimizer` may name: an element-wise rule, or a solver. One name space for the user."""

from bptrain.parts.optimizers import Optimizer, optimizers
from bptrain.parts.solvers import Solver, solvers
from bptrain.registry import Registry

Method = Optimizer | Solver

methods: Registry[Method] = Registry.joined("optimizer", optimizers, solvers)
