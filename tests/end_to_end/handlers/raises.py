"""Raises with what it was given in the message, as careless handlers do."""


def handler(event, context):
    raise ValueError(f"can't read {event}")
