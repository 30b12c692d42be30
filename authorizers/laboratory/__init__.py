"""A Python handler in processes of its own, fresh within milliseconds, without a network."""
