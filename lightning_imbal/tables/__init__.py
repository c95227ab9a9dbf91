"""A table of a paper: its runs, and the published numbers beside ours with their uncertainty."""
