"""Grades a user's own forward and backward pass."""
