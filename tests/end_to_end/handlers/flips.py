"""Denies one right password in ten, whatever is asked."""

import random

from correct import answer
from correct import handler as right


def handler(event, context):
    return answer(False, "denied") if random.random() < 0.1 else right(event, context)
