"""The reference under docs/reference, and the schema of gatecrash.toml: written from the code, for maintainers.

``python -m scripts.reference`` writes them; a test fails when they are not what the code says.
"""
