"""The tables of a paper, in several formats."""
