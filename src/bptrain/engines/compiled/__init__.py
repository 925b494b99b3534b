"""The compiled engine: a training loop written for one network, from the registered formulas, and compiled.

values.py        what the expressions of a formula stand for, and the arithmetic of them
formulas.py      a registered formula as plain arithmetic on single numbers
rules.py         an optimizer's rule, and how far it folds into a matrix product
functions.py     the formulas of a kernel as functions of its module
pieces.py        the lines that both forms of a loop share
instances.py     the loop for single instances
batches.py       the loop for batches; batch_updates.py how their gradient meets the weights
kernel.py        the text of a kernel
cache.py         where kernels are kept between processes
runtime/         what a kernel imports: compiler flags, exp and its kin, products by BLAS
"""
