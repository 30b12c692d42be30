"""Everything that touches Locust. A locustfile of your own imports ``AuthorizerUser`` from here."""

from locustfiles._recording import on_init
from locustfiles._shapes import CapacityShape
from locustfiles._statistics import AuthorizerFaultError, WrongDecisionError
from locustfiles._users import AuthorizerUser

# Importing the listeners is what registers them.
LISTENERS = (on_init,)

__all__ = ["LISTENERS", "AuthorizerFaultError", "AuthorizerUser", "CapacityShape", "WrongDecisionError"]
