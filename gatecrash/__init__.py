"""The command line, and what exported tests import."""
