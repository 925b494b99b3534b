"""What `bptrain explain` prints: the derivation of one network, with every letter, number and shape.

explain: the page → data_lines, network_lines, change_lines, update_lines: its sections → part_lines: what parts say of
themselves → letters: what the letters of the page mean
"""

from bptrain.commands.explain.derivation import DerivationLine, DerivationSection, Explanation
from bptrain.commands.explain.explain import explain, kernel

__all__ = ["DerivationLine", "DerivationSection", "Explanation", "explain", "kernel"]
