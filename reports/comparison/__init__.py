"""Two runs: whether they can be compared, and what got better or worse."""
