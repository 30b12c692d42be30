"""Where an endpoint is."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_on_this_machine(endpoint_url: str | None) -> bool:
    """Say whether an endpoint is on the loopback interface."""
    host = urlsplit(endpoint_url or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
