"""Targets: one way each to put a request to an authorizer and get an answer."""
