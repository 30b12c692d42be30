"""Thresholds: as they are written, parsed, measured and judged."""
