"""What a table of a paper is: rows, columns, methods and metrics."""
