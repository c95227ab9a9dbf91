"""A trained checkpoint: its settings, its network and data, and what it predicts."""
