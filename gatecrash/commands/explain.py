"""``gatecrash explain``: what a finding's code means, why it is dangerous, and how to mend it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.oracles.rules import BY_CODE, RULES, Rule
from gatecrash.reports.words.findings import kind_label
from gatecrash.reports.words.spelling import visible

_PREFIX: Final = "GC"


@click.command(short_help="Explain a finding's code.")
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Say what the findings of CODE mean, why they are dangerous, how to mend them, and who says so.

    Without a code all codes are listed. GC101, gc101 and 101 are the same.
    """
    console = Console()
    if code is None:
        _list(console)
    else:
        _explain(rule_of(code), console)


def rule_of(code: str) -> Rule:
    """Return the rule of a code; raises UsageError, which names the nearest code, when there is none."""
    spelled = code.strip().upper()
    spelled = spelled if spelled.startswith(_PREFIX) else f"{_PREFIX}{spelled}"
    if spelled in BY_CODE:
        return BY_CODE[spelled]
    near = _nearest(spelled)
    raise UsageError(
        f"there is no code {visible(repr(code))}; the nearest is {near.code} ({near.title}), "
        "and `gatecrash explain` lists all"
    )


def _nearest(spelled: str) -> Rule:
    digits = spelled.removeprefix(_PREFIX)
    if digits.isdecimal():
        return min(RULES, key=lambda rule: abs(int(rule.code.removeprefix(_PREFIX)) - int(digits)))
    return BY_CODE[get_close_matches(spelled, BY_CODE, n=1, cutoff=0.0)[0]]


def _list(console: Console) -> None:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for rule in RULES:
        grid.add_row(Text(rule.code, "bold"), Text(rule.severity.label), Text(rule.title))
    console.print(grid)


def _explain(rule: Rule, console: Console) -> None:
    console.print(Text.assemble((rule.code, "bold"), "  ", rule.title))
    facts = f"{kind_label(rule.kind)}, severity {rule.severity.label}, oracle {rule.oracle.value}"
    console.print(Text(facts, "dim"))
    for title, text in (
        ("What it means", rule.meaning),
        ("Why it is dangerous", rule.danger),
        ("How to mend it", rule.remedy),
    ):
        _title(console, title)
        console.print(Padding(Text(text), (0, 0, 0, 2), expand=False))
    _title(console, "Sources")
    for source in rule.sources:
        # Not wrapped: addresses are there to be copied.
        console.print(Text(f"  {source}"), soft_wrap=True)


def _title(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, "bold"))
