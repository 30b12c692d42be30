import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.reports.words import spelling


@given(st.text(st.characters()))
def test_what_is_shown_can_be_seen_and_written(text):
    shown = spelling.visible(text)
    assert shown.isprintable() or " " in shown or any(character.isspace() for character in shown)
    assert not any(character in shown for character in "\x1b\r\n\t\x7f\x9b\u202e\u2028")
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sensor-1", "sensor-1"),
        ("温度 é", "温度 é"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb", r"a\nb"),
        ("\u202eabc", r"\u202eabc"),
        ("\ud800", r"\ud800"),
        ("\u200b", r"\u200b"),
    ],
)
def test_hidden_characters_are_spelled_out(text, shown):
    assert spelling.visible(text) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        *((0.0, "0 %"), (1.0, "100 %"), (0.5, "50.0 %"), (0.0381, "3.81 %"), (0.000003, "0.0003 %")),
        *((0.999, "99.9 %"), (0.9996, "99.96 %"), (0.999999, "over 99.99 %")),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share, shown):
    assert spelling.percent(share) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), (0.123, "0.12"), (12.34, "12.3"), (1234.5, "1,234"), (0.0, "0.00")]
)
def test_milliseconds(value, shown):
    assert spelling.milliseconds(value) == shown


def test_json_for_people_keeps_its_lines_and_shows_everything():
    assert spelling.json_text({"a": "\u202e\n"}, indent=2) == '{\n  "a": "\\u202e\\n"\n}'
    assert spelling.json_text({"a": [1, "é\x7f"]}) == '{"a":[1,"é\\x7f"]}'
