"""The derivation: network and backpropagation, in NumPy and nothing else."""
