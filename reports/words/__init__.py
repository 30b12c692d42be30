"""Sentences and spelling: what people read in every writer, one module a subject."""
