"""The compiled engine: a training loop written for one network, from the registered formulas, and compiled.

`translate/` writes out the formulas; docs/compiled_engine.md follows one, and one network, to the loop.

target.py        what they are written for: Python for Numba
functions.py     the formulas of a kernel as functions of its module
equations.py     the derivation's lines, as comments of the loop
pieces.py        the lines that both forms of a loop share
instances.py     the loop for single instances; unroll.py writes out those of a small network
batches.py       the loop for batches, and how their gradient meets the weights
updating.py      the lines around the optimizer's rule
kernel.py        the text of a kernel
cache.py         where kernels are kept between processes
runtime/         what a kernel imports: compiler flags, exp and its kin, products by BLAS
"""
