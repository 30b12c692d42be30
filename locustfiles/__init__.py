"""Everything that touches Locust."""
