"""`bptrain predict`: predictions of a trained model on new rows, one line out for every row in."""
