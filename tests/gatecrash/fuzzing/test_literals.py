"""The words of a handler's code, and how a finding that was made with one finds it again."""

import pytest

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError
from gatecrash.bench.literals import words_again, words_digest, words_of
from gatecrash.generators.attacks.dictionary import WORDS_MAXIMUM

CODE = '''
"""A module's own words, which open nothing."""
SECRET = b"factory-7781"
NAMES = {"x-test-device": "yes", "isAuthenticated": True}


def handler(event, context):
    """Nor do these."""
    return event.get("x-test-device") == "magic word" or f"arn:aws:iot:{event}" or "iot:Connect"
'''


def handler_of(folder, code=CODE):
    path = folder / "authorizer.py"
    path.write_text(code)
    return f"{path}:handler"


def test_words_are_the_texts_of_the_code_without_documentation_and_usual_ones(tmp_path):
    assert words_of(handler_of(tmp_path)) == ("factory-7781", "x-test-device", "yes", "magic word")


@pytest.mark.parametrize("code", ["def broken(:", "x = '\\udfff'\n", ""])
def test_code_without_words_has_none(tmp_path, code):
    assert words_of(handler_of(tmp_path, code)) == ()


def test_what_is_no_python_has_none(tmp_path):
    assert words_of(None) == ()
    assert words_of(str(tmp_path / "authorizer.mjs")) == ()
    assert words_of(str(tmp_path / "nowhere.py")) == ()


def test_there_is_a_limit(tmp_path):
    code = "\n".join(f"x{number} = 'word {number}'" for number in range(2 * WORDS_MAXIMUM))
    assert len(words_of(handler_of(tmp_path, code))) == WORDS_MAXIMUM


def test_words_are_found_again_in_the_handler_or_in_the_cache(tmp_path):
    handler = handler_of(tmp_path)
    digest = words_digest(words_of(handler))
    assert words_again(digest, tmp_path / "cache", handler) == words_of(handler)
    handler_of(tmp_path, "x = 'mended'\n")
    with pytest.raises(UsageError, match="a word of the handler's code, which has changed since"):
        words_again(digest, tmp_path / "cache", handler)
    corpus = tmp_path / "cache" / "some"
    corpus.mkdir(parents=True)
    words = ["factory-7781", "x-test-device", "yes", "magic word"]
    (corpus / "corpus.json").write_bytes(wire.encode({"words": words}))
    assert words_again(digest, tmp_path / "cache", handler) == tuple(words)
