"""What `bptrain fit` does: one fit from a config to a finished run, resuming, its summary, and signals."""
