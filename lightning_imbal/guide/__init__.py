"""What methods, heads, losses and files are, for people: read from docstrings, YAML and results, without torch."""
