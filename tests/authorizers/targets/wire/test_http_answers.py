import contextlib
import http.client
import socket

import pytest

from gatecrash.authorizers.targets.wire.http_answers import AnswerReader

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nServer: one\r\n\r\n"


@pytest.fixture
def read():
    """Reads what it is given as one answer; all by the same reader."""
    reader = AnswerReader()

    def read(*parts):
        near, far = socket.socketpair()
        with near, far:
            for part in parts:
                far.sendall(part)
            far.shutdown(socket.SHUT_WR)
            return reader.read(near, stamped=False)

    return read


def test_answers_with_the_same_head_keep_their_own_bodies(read):
    answers = [read(HEAD + body) for body in (b"aaaa", b"bbbb", b"cccc")]
    assert [answer.body for answer, _ in answers] == [b"aaaa", b"bbbb", b"cccc"]
    assert {(answer.status, answer.head, reusable) for answer, reusable in answers} == {(200, HEAD[:-2], True)}


def test_a_head_that_is_known_hides_no_body_that_is_too_short(read):
    read(HEAD + b"aaaa")
    with pytest.raises(http.client.IncompleteRead):
        read(HEAD + b"aa")


def test_a_head_that_is_known_hides_no_body_that_is_too_long(read):
    read(HEAD + b"aaaa")
    answer, reusable = read(HEAD + b"aaaa and more")
    assert (answer.body, reusable) == (b"aaaa", False)


@pytest.mark.parametrize("end", range(1, len(HEAD)))
def test_the_start_of_a_head_is_not_taken_for_a_known_one(read, end):
    read(HEAD + b"aaaa")
    with contextlib.suppress(http.client.HTTPException):
        # To http.client a head may end with the connection.
        answer, reusable = read(HEAD[:end])
        assert (answer.body, reusable) == (b"", False)


def test_what_another_status_with_the_same_headers_says_is_not_taken_over(read):
    read(HEAD + b"aaaa")
    answer, _ = read(HEAD.replace(b"200 OK", b"429 No") + b"aaaa")
    assert answer.status == 429


def test_thousands_of_different_heads_are_read_as_well(read):
    for number in range(1000):
        head = HEAD.replace(b"one", b"%d" % number)
        answer, reusable = read(head + b"aaaa")
        assert (answer.body, answer.headers["server"], reusable) == (b"aaaa", str(number), True)
