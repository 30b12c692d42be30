"""An authorizer with python-jose, as its documentation shows."""

from common import AUDIENCE, ISSUER, PUBLIC_KEY, decision, denial, token_of
from jose import jwt
from jose.exceptions import JOSEError


def handler(event, context):
    try:
        claims = jwt.decode(token_of(event), PUBLIC_KEY, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    except JOSEError:
        return denial()
    return decision(event, claims)
