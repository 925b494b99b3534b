"""The formula translator: reads the source of registered functions and writes it out as arithmetic on single numbers.

target.py        what is written for: a language
source.py        the source of a function, and what the names in it stand for
expressions.py   what its expressions stand for, and the arithmetic of them
writer.py        the lines, and loops over the entries of a row
formulas.py      a formula as lines
update_rules.py  an optimizer's rule, and how far it folds into a matrix product
"""
