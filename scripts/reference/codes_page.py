"""docs/reference/codes.md: every code of a finding, with what `gatecrash explain` says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gatecrash.reports.oracles.rules import RULES, Rule
from gatecrash.reports.words.findings import kind_label
from scripts.reference.markdown import code, page, prose, table

_OPENING: Final = """
`gatecrash explain CODE` says the same on the screen. A *note* never fails a run, all others do (exit code 3). Numbers
are never used again for something else.
"""


def render() -> bytes:
    """Return the page's content."""
    return page("Codes of findings", _lines())


def _lines() -> Iterator[str]:
    yield from _OPENING.strip("\n").splitlines()
    yield ""
    yield from table(("code", "finding", "severity", "kind", "oracle"), list(map(_row, RULES)))
    for rule in RULES:
        yield f'## <a id="{rule.code}"></a>{rule.code}: {prose(rule.title)}'
        yield ""
        yield f"*{kind_label(rule.kind)}, severity {rule.severity.label}, oracle {rule.oracle}*"
        yield ""
        for title, text in (
            ("What it means", rule.meaning),
            ("Why it is dangerous", rule.danger),
            ("How to mend it", rule.remedy),
        ):
            yield f"**{title}.** {prose(text)}"
            yield ""
        yield "**Sources**"
        yield ""
        yield from (f"- {f'<{source}>' if source.startswith('https://') else prose(source)}" for source in rule.sources)
        yield ""


def _row(rule: Rule) -> tuple[str, ...]:
    link = f"[{code(rule.code)}](#{rule.code})"
    return link, prose(rule.title), rule.severity.label, kind_label(rule.kind), rule.oracle.value
