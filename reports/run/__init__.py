"""One run: its folder, whether its measurement is valid, its verdict, and the summary of every number."""
