"""Steady load: arrivals at one rate, or users at their own pace.

``gatecrash run`` drives this file; it works as well by itself::

    locust -f locustfiles/steady.py --headless
"""

from gatecrash.locustfiles import AuthorizerUser


class FleetUser(AuthorizerUser):
    """A slot of the open schedule, or a user of the closed model."""
