"""From settings to what a run needs: its plan, its corpus, its load."""
