"""A strict YAML 1.2 reader with the position of every node. It knows nothing of bptrain but its errors."""
