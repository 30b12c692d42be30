"""Capacity: doubles the rate, bisects and confirms, until it is known how much the authorizer holds.

``gatecrash capacity`` drives this file; it works as well by itself::

    locust -f locustfiles/capacity.py --headless
"""

from gatecrash.locustfiles import AuthorizerUser, CapacityShape


class FleetUser(AuthorizerUser):
    """A slot that fires the arrivals of the rate that is being probed."""


class Shape(CapacityShape):
    """Grows the number of slots with the rate."""
