"""What `bptrain ensemble` does: finished runs become one model; and what makes it, which `fit` uses, too."""
