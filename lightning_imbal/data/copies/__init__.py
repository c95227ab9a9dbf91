"""Which pictures show the same photograph."""
