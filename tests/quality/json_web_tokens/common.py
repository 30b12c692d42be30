"""What the three Python authorizers have in common: finding the token, and the answers."""

import base64
import binascii
import json
import pathlib
import re

PUBLIC_KEY = (pathlib.Path(__file__).resolve().parents[1] / "authorizers/first/profiles/jwt_public.pem").read_text()
ISSUER = "https://issuer.example"
AUDIENCE = "iot-devices"
DEVICE = re.compile(r"device-[0-9a-f]{8}")
ARN = "arn:aws:iot:eu-west-1:123456789012"


def part(event, name):
    return (event.get("protocolData") or {}).get(name) or {}


def token_of(event):
    if event.get("token"):
        return event["token"]
    headers = part(event, "http").get("headers") or {}
    values = [value for name, value in headers.items() if name.lower() == "authorization"]
    if len(values) == 1 and values[0].startswith("Bearer "):
        return values[0].removeprefix("Bearer ")
    try:
        return base64.b64decode(part(event, "mqtt").get("password") or "", validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def denial():
    return {
        "isAuthenticated": False,
        "principalId": "denied",
        "policyDocuments": [],
        "refreshAfterInSeconds": 300,
        "disconnectAfterInSeconds": 300,
    }


def decision(event, claims):
    device = claims.get("sub") if isinstance(claims, dict) else None
    if not isinstance(device, str) or not DEVICE.fullmatch(device):
        return denial()
    client_id = part(event, "mqtt").get("clientId")
    if client_id is not None and client_id != device:
        return denial()
    statements = [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{ARN}:client/{device}"},
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": f"{ARN}:topic/devices/{device}/up"},
    ]
    return {
        "isAuthenticated": True,
        "principalId": device.replace("-", ""),
        "policyDocuments": [json.dumps({"Version": "2012-10-17", "Statement": statements})],
        "refreshAfterInSeconds": 600,
        "disconnectAfterInSeconds": 3600,
    }
