"""An authorizer with joserfc, as its documentation shows."""

from common import AUDIENCE, ISSUER, PUBLIC_KEY, decision, denial, token_of
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

KEY = RSAKey.import_key(PUBLIC_KEY)
CLAIMS = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    sub={"essential": True},
)


def handler(event, context):
    try:
        token = jwt.decode(token_of(event), KEY, algorithms=["RS256"])
        CLAIMS.validate(token.claims)
    except (JoseError, ValueError):
        return denial()
    return decision(event, token.claims)
