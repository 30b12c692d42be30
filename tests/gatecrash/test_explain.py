"""``gatecrash explain``, called in this process."""

import re

import pytest

from gatecrash.authorizers.errors import UsageError
from gatecrash.commands.explain import explain, rule_of
from gatecrash.reports.oracles.rules import RULES


def shown(capsys, *arguments):
    explain.main(list(arguments), standalone_mode=False)
    return capsys.readouterr().out


def words(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_code_is_explained_in_full(rule, capsys):
    text = words(shown(capsys, rule.code))
    for part in (rule.code, rule.title, rule.severity.label, rule.oracle.value, rule.meaning, rule.danger, rule.remedy):
        assert words(part) in text
    assert all(source in text for source in rule.sources)


def test_without_a_code_all_are_listed(capsys):
    lines = shown(capsys).splitlines()
    assert len(lines) == len(RULES)
    for line, rule in zip(lines, RULES, strict=True):
        assert line.split()[:2] == [rule.code, rule.severity.label]
        assert rule.title in line


@pytest.mark.parametrize("code", ["GC302", "gc302", "Gc302", "302", " gc302 "])
def test_a_code_may_be_spelled_in_several_ways(code):
    assert rule_of(code).code == "GC302"


@pytest.mark.parametrize(
    ("code", "nearest"),
    [("GC105", "GC104"), ("105", "GC104"), ("999", "GC604"), ("GC1O1", "GC101"), ("GC", "GC"), ("", "GC"), ("é", "GC")],
)
def test_an_unknown_code_is_a_sentence_with_the_nearest(code, nearest):
    with pytest.raises(UsageError, match=f"there is no code .*; the nearest is {nearest}"):
        rule_of(code)


def test_a_hostile_code_cannot_steer_the_terminal():
    with pytest.raises(UsageError) as caught:
        rule_of("\x1b[31m\u202e")
    assert str(caught.value).isprintable()


def test_an_address_is_never_wrapped(capsys):
    assert "  https://docs.aws.amazon.com/iot/latest/developerguide/custom-auth-lambda.html\n" in shown(capsys, "101")
