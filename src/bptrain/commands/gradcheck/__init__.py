"""What `bptrain gradcheck` does with a config, a run, a model, or every registered part."""
