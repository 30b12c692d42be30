"""Never answers."""

import time


def handler(event, context):
    time.sleep(3600)
