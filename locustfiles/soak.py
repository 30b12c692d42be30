"""Soak: one rate for long, to see what drifts: latency, memory, decisions.

``gatecrash run --scenario soak`` drives this file; it works as well by itself::

    locust -f locustfiles/soak.py --headless
"""

from gatecrash.locustfiles import AuthorizerUser


class FleetUser(AuthorizerUser):
    """A slot of the open schedule."""
