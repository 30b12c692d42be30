"""Finding a recorded case again, and exporting it as a test."""
