"""Lets everybody in who knows a user name."""

from correct import DEVICES, answer


def handler(event, context):
    mqtt = (event.get("protocolData") or {}).get("mqtt") or {}
    device = DEVICES.get((mqtt.get("username") or "").partition("?")[0])
    return answer(True, "x", device["client_id"]) if device else answer(False, "denied")
