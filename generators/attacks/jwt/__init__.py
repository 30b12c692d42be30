"""Attacks on JSON Web Tokens, by the part of the token that they change."""
