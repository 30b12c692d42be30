"""Attacks, a module a family: see docs/extending.md for the seam."""
