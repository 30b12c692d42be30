"""Spike: a whole fleet reconnects within seconds, and the authorizer recovers.

``gatecrash run --scenario spike`` drives this file; it works as well by itself::

    locust -f locustfiles/spike.py --headless
"""

from gatecrash.locustfiles import AuthorizerUser


class FleetUser(AuthorizerUser):
    """A slot of the open schedule, whose rate changes."""
