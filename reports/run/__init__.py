"""One run: its plan and folder, whether its measurement is valid, its verdict, and the summary of every number."""
