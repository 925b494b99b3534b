"""What `bptrain validate` does: everything that a fit would, up to one forward and backward pass."""
