"""Hypothesis strategies and plain code that make cases: credentials, surroundings, attacks, corpus."""
