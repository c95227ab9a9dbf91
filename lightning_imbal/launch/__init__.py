"""Runs a table: which runs it needs, and the processes that make them."""
