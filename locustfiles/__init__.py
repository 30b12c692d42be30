"""Everything that touches Locust. A locustfile of your own imports ``AuthorizerUser`` from here."""

from locustfiles._recording import on_init
from locustfiles._users import AuthorizerFaultError, AuthorizerUser, WrongDecisionError

# Importing the listeners is what registers them.
LISTENERS = (on_init,)

__all__ = ["LISTENERS", "AuthorizerFaultError", "AuthorizerUser", "WrongDecisionError"]
