"""From settings to what a run needs: plan, corpus, fleet."""
