"""Everything that touches Locust. A locustfile of your own imports ``AuthorizerUser`` from here."""

from gatecrash.locustfiles._listeners import on_init
from gatecrash.locustfiles._shapes import CapacityShape
from gatecrash.locustfiles._statistics import AuthorizerFaultError, WrongDecisionError
from gatecrash.locustfiles._users import AuthorizerUser

# Importing the listeners is what registers them.
LISTENERS = (on_init,)

__all__ = ["LISTENERS", "AuthorizerFaultError", "AuthorizerUser", "CapacityShape", "WrongDecisionError"]
