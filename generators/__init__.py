"""Hypothesis strategies and plain code that make cases: credentials, contexts, attacks, corpus."""
