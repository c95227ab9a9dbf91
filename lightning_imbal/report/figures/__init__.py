"""The figures of a paper, by matplotlib."""
