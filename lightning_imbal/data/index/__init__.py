"""What the index of a data set is read from."""
