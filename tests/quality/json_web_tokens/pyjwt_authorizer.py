"""An authorizer with PyJWT, as its documentation shows."""

import jwt
from common import AUDIENCE, ISSUER, PUBLIC_KEY, decision, denial, token_of


def handler(event, context):
    try:
        claims = jwt.decode(token_of(event), PUBLIC_KEY, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    except jwt.PyJWTError:
        return denial()
    return decision(event, claims)
