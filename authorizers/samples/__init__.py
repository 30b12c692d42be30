"""Sample authorizers."""
