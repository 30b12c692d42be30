"""A sample authorizer: devices present a JWT as bearer header or as MQTT password.

It is what `gatecrash run` tests when no handler of yours is named. The secret lies beside it, for everyone to see:
copy the shape of this file, not its key management.
"""

import base64
import binascii
import json
import pathlib
import re

import jwt

SECRET = (pathlib.Path(__file__).resolve().parent / "jwt_secret.txt").read_text().strip()
DEVICE = re.compile(r"device-[0-9a-f]{8}")
ARN = "arn:aws:iot:us-east-1:123456789012"


def handler(event, context):
    """Decide whether a device may connect."""
    claims = claims_of(token_of(event))
    if claims is None or not isinstance(claims.get("sub"), str) or not DEVICE.fullmatch(claims["sub"]):
        return denial()
    device = claims["sub"]
    client_id = part(event, "mqtt").get("clientId")
    if client_id is not None and client_id != device:
        return denial()
    return {
        "isAuthenticated": True,
        "principalId": device.replace("-", ""),
        "policyDocuments": [policy_for(device)],
        "refreshAfterInSeconds": 600,
        "disconnectAfterInSeconds": 3600,
    }


def denial():
    """A denial must be a complete answer: AWS IoT takes a bare isAuthenticated false for a fault."""
    return {
        "isAuthenticated": False,
        "principalId": "denied",
        "policyDocuments": [],
        "refreshAfterInSeconds": 300,
        "disconnectAfterInSeconds": 300,
    }


def policy_for(device):
    """Let a device connect as itself and publish to its own topic."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{ARN}:client/{device}"},
                {"Effect": "Allow", "Action": "iot:Publish", "Resource": f"{ARN}:topic/devices/{device}/up"},
            ],
        }
    )


def part(event, name):
    """Return a part of the protocol data; parts that were not sent are absent."""
    return (event.get("protocolData") or {}).get(name) or {}


def token_of(event):
    """Find the token: header names count in any case, the password is base64."""
    headers = part(event, "http").get("headers") or {}
    values = [value for name, value in headers.items() if name.lower() == "authorization"]
    if len(values) == 1 and values[0].startswith("Bearer "):
        return values[0].removeprefix("Bearer ")
    try:
        return base64.b64decode(part(event, "mqtt").get("password") or "", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def claims_of(token):
    """Verify a token; None when it isn't one of ours."""
    try:
        claims = jwt.decode(
            token,
            SECRET,
            algorithms=["HS256"],
            audience="iot-devices",
            issuer="https://issuer.example",
            options={"require": ["exp", "iat", "sub"]},
        )
        # PyJWT takes the text "1700000000" for a time too; nothing of ours looks so.
        return claims if all(isinstance(claims[name], (int, float)) for name in ("exp", "iat")) else None
    except (jwt.PyJWTError, RecursionError, TypeError, ValueError, OverflowError):
        return None
