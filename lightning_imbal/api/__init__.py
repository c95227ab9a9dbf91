"""What `import lightning_imbal as li` offers: finished runs, and the networks in them, in Python."""
