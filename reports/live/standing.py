"""How a test that was started in Locust's web page stands, from its start to its verdict."""

from __future__ import annotations

from enum import StrEnum


class WebTestState(StrEnum):
    """One after the other; a verdict is there only once a test has ``ended``: before, results may still be coming in.

    ``refused`` is a test that could not start, ``unreported`` one that ended and whose report could not be written.
    """

    NONE = "none"
    STARTING = "starting"
    REFUSED = "refused"
    RUNNING = "running"
    ENDING = "ending"
    JUDGING = "judging"
    ENDED = "ended"
    UNREPORTED = "unreported"
