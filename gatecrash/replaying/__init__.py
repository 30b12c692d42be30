"""Firing a recorded case again, and exporting it as a file of its own."""
