import re

import pytest

from gatecrash.reports.oracles.rules import BY_CODE, RULES, FindingKind, Oracle

ORACLES = {
    "1": {Oracle.EXPECTATION},
    "2": {Oracle.CONTRACT},
    "3": {Oracle.ROBUSTNESS},
    "4": {Oracle.AGREEMENT},
    "5": {Oracle.RELATION},
    "6": {Oracle.POLICY},
}


def test_codes_are_unique_and_in_order():
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert list(BY_CODE) == codes


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_text_of_a_rule_is_there(rule):
    assert re.fullmatch(r"GC[1-9][0-9]{2}", rule.code)
    assert rule.oracle in ORACLES[rule.code[2]]
    for text in (rule.meaning, rule.danger, rule.remedy):
        assert text[0].isupper() or text[0] in "*"
        assert text.endswith(".")
        assert "  " not in text
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.sources
    assert all(source.startswith(("https://", "RFC ", "CWE-")) for source in rule.sources)


def test_titles_are_unique_and_every_kind_has_a_rule():
    assert len({rule.title for rule in RULES}) == len(RULES)
    assert {rule.kind for rule in RULES} == set(FindingKind)
    assert {rule.oracle for rule in RULES} == set(Oracle)
