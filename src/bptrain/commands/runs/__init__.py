"""What `bptrain runs` does: the runs in a directory, the settings in which they differ, and filters."""
