"""Data sets, one source each: they read labels, never a picture."""
