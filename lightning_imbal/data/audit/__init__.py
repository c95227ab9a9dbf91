"""What leaks between the parts of a split."""
