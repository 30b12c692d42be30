import os
import socket
import subprocess
import sys

import gevent

import pytest

from gatecrash.authorizers.targets.wire.readable import Readable, readable_of


@pytest.fixture
def pair():
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far:
        yield near, far


@pytest.fixture
def readable(pair):
    made = Readable(pair[0].fileno(), lambda: None)
    yield made
    made.close()


def in_time(function, *arguments):
    with gevent.Timeout(10):
        return gevent.spawn(function, *arguments).get()


def test_a_wait_ends_when_something_comes(pair, readable):
    near, far = pair
    gevent.spawn_later(0.02, far.sendall, b"answer")
    in_time(readable.wait)
    assert near.recv(100) == b"answer"


def test_a_wait_ends_when_the_other_end_closes(pair, readable):
    near, far = pair
    gevent.spawn_later(0.02, far.close)
    in_time(readable.wait)
    assert near.recv(100) == b""


def test_each_wait_waits_anew(pair, readable):
    near, far = pair
    for number in range(50):
        gevent.spawn_later(0.001, far.sendall, b"%d" % number)
        in_time(readable.wait)
        assert near.recv(100) == b"%d" % number


def test_what_nobody_reads_costs_nothing_and_is_there_for_the_next_wait(pair, readable):
    near, far = pair
    far.sendall(b"first")
    in_time(readable.wait)
    near.recv(100)
    far.sendall(b"nobody asked")
    before = os.times()
    gevent.sleep(0.5)
    after = os.times()
    assert after.user + after.system - before.user - before.system < 0.3
    in_time(readable.wait)
    assert near.recv(100) == b"nobody asked"


def test_something_else_comes_before_whoever_waits(pair):
    order = []
    readable = Readable(pair[0].fileno(), lambda: order.append("before"))

    def read():
        readable.wait()
        order.append("read")

    pair[1].sendall(b"answer")
    in_time(read)
    assert order == ["before", "read"]
    readable.close()


def test_who_was_killed_while_waiting_is_not_woken(pair, readable):
    near, far = pair
    killed = gevent.spawn(readable.wait)
    gevent.sleep(0)
    killed.kill()
    far.sendall(b"answer")
    gevent.sleep(0.01)
    assert killed.successful()
    in_time(readable.wait)
    assert near.recv(100) == b"answer"


def test_who_is_killed_by_what_comes_before_is_not_woken(pair):
    waiting = []

    def kill():
        waiting.pop().throw(gevent.GreenletExit)

    readable = Readable(pair[0].fileno(), kill)
    waiting.append(gevent.spawn(readable.wait))
    only = waiting[0]
    gevent.sleep(0)
    pair[1].sendall(b"answer")
    with gevent.Timeout(10):
        only.join()
    assert isinstance(only.value, gevent.GreenletExit)
    readable.close()


def test_a_connection_that_blocks_is_read_without(pair):
    assert readable_of(pair[1], lambda: None) is None
    watched = readable_of(pair[0], lambda: None)
    assert watched is not None
    watched.close()


BY_GREENLETS = """
import gevent.monkey
gevent.monkey.patch_all()
import gevent, time
from gatecrash.authorizers.targets.wire.connections import Connections
from tests.authorizers.targets.raw_server import RawServer

REQUEST = b"POST / HTTP/1.1\\r\\nContent-Length: 0\\r\\n\\r\\n"
server, before = RawServer(), []
connections = Connections("127.0.0.1", server.port, tls=None, timeout=5)
connections.before_reading = lambda: before.append(server.connections)
for keep_open in (True, True, False, True):
    server.keep_open = keep_open
    jobs = [gevent.spawn(connections.exchange, REQUEST) for _ in range(5)]
    gevent.joinall(jobs, timeout=10, raise_error=True)
    assert [job.value.body for job in jobs] == [b"{}"] * 5
    gevent.sleep(0.05)
print(len(before), server.connections)
connections.close()
"""


def test_greenlets_use_connections_again_until_the_server_closes_them():
    done = subprocess.run([sys.executable, "-c", BY_GREENLETS], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    called, connected = map(int, done.stdout.split())
    assert connected == 10
    # Only what the kernel says the time of may be read later.
    assert called == (20 if sys.platform == "linux" else 0)
