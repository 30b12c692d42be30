"""Phases of given cases: sequential, repeated, interleaved, concurrent, sustained.

``gatecrash fuzz`` drives this file with a plan that names the cases of each phase; it works as well by itself::

    locust -f locustfiles/fuzz.py --headless --users 16 --spawn-rate 16 --plan plan.json
"""

from gatecrash.locustfiles import AuthorizerUser


class FleetUser(AuthorizerUser):
    """A slot that fires the cases of the phases."""
