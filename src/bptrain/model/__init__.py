"""A trained model: weights with everything that turns raw columns into predictions."""
