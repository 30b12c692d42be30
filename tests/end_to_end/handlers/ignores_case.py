"""Compares passwords without regard to upper and lower case."""

import base64

from correct import DEVICES, answer


def handler(event, context):
    mqtt = (event.get("protocolData") or {}).get("mqtt") or {}
    device = DEVICES.get((mqtt.get("username") or "").partition("?")[0])
    password = base64.b64decode(mqtt.get("password") or "").decode("utf-8", "replace")
    if device is None or password.lower() != device["password"].lower():
        return answer(False, "denied")
    if mqtt.get("clientId", device["client_id"]) != device["client_id"]:
        return answer(False, "denied")
    return answer(True, device["username"].replace("-", ""), device["client_id"])
