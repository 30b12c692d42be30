"""Looks no more at the password of a device that it has let in before."""

import correct

KNOWN = set()


def handler(event, context):
    mqtt = (event.get("protocolData") or {}).get("mqtt") or {}
    device = correct.DEVICES.get(mqtt.get("username"))
    if device is not None and device["username"] in KNOWN and mqtt.get("clientId") == device["client_id"]:
        return correct.answer(True, device["username"].replace("-", ""), device["client_id"])
    answer = correct.handler(event, context)
    if answer["isAuthenticated"]:
        KNOWN.add((mqtt.get("username") or "").partition("?")[0])
    return answer
