"""Looks at the user's own images: what is a class, a label, a group, a mask, and what was meant."""
