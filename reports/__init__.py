"""A report: the summary of a run, and its comparison with another; what was seen and what it means, a room each."""
