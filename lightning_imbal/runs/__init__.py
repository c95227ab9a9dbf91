"""What knows a run's files: its folder, its results, its predictions."""
