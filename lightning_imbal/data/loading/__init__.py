"""From pictures and draws to batches."""
