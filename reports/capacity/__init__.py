"""A search for capacity: objectives, probes, how they are judged, and the answer."""
