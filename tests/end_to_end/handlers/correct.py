"""A correct authorizer for the devices of devices.jsonl."""

import base64
import binascii
import hmac
import json
import pathlib

TABLE = pathlib.Path(__file__).resolve().parent.parent / "devices.jsonl"
DEVICES = {row["username"]: row for row in map(json.loads, TABLE.read_text().splitlines())}


def answer(authenticated, principal, client_id=None):
    statement = {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"arn:aws:iot:x:1:client/{client_id}"}
    return {
        "isAuthenticated": authenticated,
        "principalId": principal,
        "policyDocuments": [{"Version": "2012-10-17", "Statement": [statement]}] if authenticated else [],
        "refreshAfterInSeconds": 300,
        "disconnectAfterInSeconds": 3600,
    }


def handler(event, context):
    mqtt = (event.get("protocolData") or {}).get("mqtt") or {}
    device = DEVICES.get((mqtt.get("username") or "").partition("?")[0])
    try:
        password = base64.b64decode(mqtt.get("password") or "", validate=True)
    except binascii.Error:
        password = b""
    right = device is not None and hmac.compare_digest(password, device["password"].encode())
    if not right or mqtt.get("clientId", device["client_id"]) != device["client_id"]:
        return answer(False, "denied")
    return answer(True, device["username"].replace("-", ""), device["client_id"])
