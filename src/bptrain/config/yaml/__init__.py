"""A strict reader of YAML 1.2, with the position of every node. Of bptrain it knows the errors alone."""
