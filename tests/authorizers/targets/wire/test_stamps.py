import socket
import struct
import sys
import time

import pytest

from gatecrash.authorizers.targets.wire import stamps
from gatecrash.authorizers.targets.wire.connections import Connections
from gatecrash.authorizers.targets.wire.stamps import ANCILLARY_BYTES, ask_for_stamps, received_at
from tests.authorizers.targets.raw_server import RawServer

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel is asked")


@pytest.fixture
def pair():
    """Two ends of a connection on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    with near, far:
        yield near, far


def stamped(pair):
    """Ask for stamps, and wait for the kernel to make them: for the first who asks it begins a moment later."""
    near, far = pair
    assert ask_for_stamps(near)
    for _ in range(50):
        far.sendall(b"is it on?")
        if near.recvmsg(100, ANCILLARY_BYTES)[1]:
            return pair
        time.sleep(0.02)
    raise AssertionError("the kernel makes no stamps")


def stamp(wall_nanoseconds, kind=35):
    return (socket.SOL_SOCKET, kind, struct.pack("@qq", *divmod(wall_nanoseconds, 10**9)))


@needs_linux
def test_what_lay_in_the_socket_was_received_when_it_came(pair):
    near, far = stamped(pair)
    before = time.perf_counter()
    far.sendall(b"an answer")
    sent = time.perf_counter()
    time.sleep(0.3)
    data, ancillary, _, _ = near.recvmsg(100, ANCILLARY_BYTES)
    received = received_at(ancillary)
    assert data == b"an answer"
    # The clocks are read one after the other.
    assert before - 0.001 <= received <= sent + 0.1


@needs_linux
def test_of_what_came_in_parts_the_last_counts(pair):
    near, far = stamped(pair)
    far.sendall(b"first, ")
    time.sleep(0.2)
    before = time.perf_counter()
    far.sendall(b"second")
    time.sleep(0.1)
    data, ancillary, _, _ = near.recvmsg(100, ANCILLARY_BYTES)
    assert data == b"first, second"
    assert received_at(ancillary) >= before - 0.001


def test_a_moment_is_told_by_the_clock_that_latencies_are_taken_by():
    received = received_at([(0, 0, b""), stamp(time.time_ns() - 2 * 10**9)])
    assert 1.9 < time.perf_counter() - received < 2.5


@pytest.mark.parametrize(
    "ancillary",
    [
        [],
        [stamp(time.time_ns(), kind=29)],
        [(socket.SOL_SOCKET, 35, b"short")],
        # The wall clock was set back since.
        [stamp(time.time_ns() + 3600 * 10**9)],
    ],
)
def test_without_a_stamp_that_can_be_there_is_no_moment(ancillary):
    assert received_at(ancillary) is None


def test_a_machine_whose_constant_is_not_known_is_not_asked(pair, monkeypatch):
    monkeypatch.setattr(stamps, "_IS_KNOWN", False)
    near, far = pair
    assert not ask_for_stamps(near)
    far.sendall(b"x")
    _, ancillary, _, _ = near.recvmsg(1, ANCILLARY_BYTES)
    assert list(ancillary) == []


def test_a_socket_that_knows_no_such_option_is_no_error(pair):
    near, _ = pair
    near.close()
    assert not ask_for_stamps(near)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


@needs_linux
@pytest.mark.parametrize("answer", [HEAD + b"body", [HEAD, b"body"], [HEAD + b"bo", b"dy"]])
def test_an_answer_of_a_connection_has_the_moment_of_its_end(answer):
    server, moments = RawServer(), []
    server.answer = lambda _: moments.append(time.perf_counter()) or answer
    connections = Connections("127.0.0.1", server.port, tls=None, timeout=5)
    try:
        for _ in range(2):
            got = connections.exchange(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            assert got.body == b"body"
            assert moments[-1] - 0.001 <= got.received <= time.perf_counter()
        server.answer = lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        assert connections.exchange(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").received is None
    finally:
        connections.close()
        server.close()
