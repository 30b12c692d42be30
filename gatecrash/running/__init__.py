"""The command's side of Locust: processes, workers, the live view."""
