"""The loop: from a start state to the last epoch, as a generator of events."""
