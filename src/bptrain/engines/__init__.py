"""How a slice of an epoch is run."""
