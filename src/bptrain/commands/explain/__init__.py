"""What `bptrain explain` prints: the derivation of one network, and what its config adds to it."""
