"""A run that goes on: its figures, its page, its metrics."""
