from gatecrash.authorizers.contract import Expectation
from tests.reports.samples import allow, codes, deny, judged


def test_a_valid_request_that_is_denied_now_and_then_is_one_finding():
    assert codes(judged(Expectation.ALLOW, allow(), allow(), deny())) == ["GC401"]


def test_a_valid_request_that_is_always_denied_is_a_wrong_denial():
    assert codes(judged(Expectation.ALLOW, deny(), deny())) == ["GC102"]


def test_an_attack_that_is_allowed_now_and_then_is_both_dangerous_and_inconsistent():
    assert codes(judged(Expectation.DENY, deny(), allow())) == ["GC101", "GC401"]
