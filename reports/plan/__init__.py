"""What is meant to be run: the plan of a run, and what run.json tells of it."""
