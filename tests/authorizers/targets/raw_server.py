"""A server that answers with the bytes it is told, and keeps the bytes it was sent."""

import contextlib
import socket
import threading
import time


class RawServer:
    """Answers each request of each connection with ``answer``, a function of the request's bytes.

    An answer is bytes, or a list of bytes that are sent one after the other; None ends the connection without any.
    With ``keep_open`` the connection stays after an answer. With ``tls``, an ssl.SSLContext, all is encrypted.
    """

    def __init__(self, tls=None):
        self._tls = tls
        self.received = []
        self.connections = 0
        self.keep_open = True
        self.answer = lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), self._encrypted(connection) as connection:
            while (request := _request(connection)) is not None:
                self.received.append(request)
                keep_open, answer = self.keep_open, self.answer(request)
                if answer is None:
                    return
                for part in [answer] if isinstance(answer, bytes) else answer:
                    connection.sendall(part)
                    time.sleep(0.002 if isinstance(answer, list) else 0)
                if not keep_open:
                    return

    def _encrypted(self, connection):
        try:
            return connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            raise

    def close(self):
        self._listener.close()


def _request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    length = int(lengths[0]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def parts_of(request):
    """Return a request's first line, its headers by their lower-case names, and its body."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *rows = head.decode("latin-1").split("\r\n")
    return line, {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}, body
