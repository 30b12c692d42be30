"""Answers ten megabytes."""


def handler(event, context):
    return {"isAuthenticated": True, "padding": "x" * 10_000_000}
