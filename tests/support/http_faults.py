# SPDX-License-Identifier: Apache-2.0
"""A web server that breaks its word in the ways that servers and networks do."""

import fcntl
import itertools
import re
import socket
import struct
import termios
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from .process import HANG_S
from .waiting import wait_for

TAG = '"v1"'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "FaultServer"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.seen.append((path, dict(self.headers)))
        behaviour = _BEHAVIOURS.get(path.strip("/").split("/")[0])
        if behaviour is None:
            self.send_error(404)
        else:
            self.close_connection = True
            behaviour(self, self.server.image)

    def log_message(self, *_: object) -> None:
        pass

    def head(self, status: int = 200, **headers: str | int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Connection", "close")
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def send_cut(self, data: bytes) -> None:
        """As far as the test lets it come: the next of `cuts`, or of `stalls`, is how far."""
        server = self.server
        if server.then:
            server.image = server.then
        if server.stalls:
            self.send(data[: server.stalls.pop(0)])
            server.stopping.wait(HANG_S * 2)
        else:
            self.send(data[: server.cuts.pop(0)] if server.cuts else data)

    @property
    def wanted_from(self) -> int | None:
        """The N of "Range: bytes=N-"; None: everything is wanted."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(match[1]) if match else None

    def whole(self, image: bytes, **headers: str) -> None:
        self.head(Content_Length=len(image), **headers)
        self.send_cut(image)

    def part(self, image: bytes, first: int, total: int = 0, **headers: str) -> None:
        """The rest of the image from `first`."""
        last = len(image) - 1
        said = f"bytes {first}-{last}/{total or len(image)}"
        self.head(206, Content_Length=last + 1 - first, Content_Range=said, **headers)
        self.send_cut(image[first:])


def _ok(web: _Handler, image: bytes) -> None:
    web.head(Content_Length=len(image))
    web.send(image)


def _no_length(web: _Handler, image: bytes) -> None:
    web.head()
    web.send(image)


def _short_no_length(web: _Handler, image: bytes) -> None:
    web.head()
    web.send(image[: len(image) // 2])


def _cut(web: _Handler, image: bytes) -> None:
    web.head(Content_Length=len(image))
    web.send(image[: len(image) // 2])


def _cut_at_zero(web: _Handler, image: bytes) -> None:
    web.head(Content_Length=len(image))


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _chunked(web: _Handler, image: bytes) -> None:
    web.head(Transfer_Encoding="chunked")
    for at in range(0, len(image), 1500):
        web.send(_chunk(image[at : at + 1500]))
    web.send(b"0\r\n\r\n")


def _cut_chunked(web: _Handler, image: bytes) -> None:
    web.head(Transfer_Encoding="chunked")
    web.send(_chunk(image[:1500]) + _chunk(image[1500 : len(image) // 2]))


def _stall(web: _Handler, image: bytes) -> None:
    web.head(Content_Length=len(image))
    web.send(image[: len(image) // 2])
    web.server.stopping.wait(HANG_S * 2)


def _stall_head(web: _Handler, image: bytes) -> None:
    web.server.stopping.wait(HANG_S * 2)


def _reset(web: _Handler, image: bytes) -> None:
    web.head(Content_Length=len(image))
    web.send(image[: len(image) // 2])
    # The client must have read what came: a reset throws away what it has not.
    web.server.go_on.wait(HANG_S)
    web.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    web.connection.close()


def _late(web: _Handler, image: bytes) -> None:
    """The second half comes only when the test says so."""
    web.head(Content_Length=len(image))
    web.send(image[: len(image) // 2])
    web.server.go_on.wait(HANG_S)
    web.send(image[len(image) // 2 :])


def _in_steps(web: _Handler, image: bytes) -> None:
    """As far as each of `steps`, and on only when the test says so."""
    web.head(Content_Length=len(image))
    for start, end in itertools.pairwise([0, *web.server.steps, len(image)]):
        web.send(image[start:end])
        if end < len(image):
            web.server.step.acquire(timeout=HANG_S)


def _one_step(web: _Handler, image: bytes) -> None:
    """No further than the first of `steps`, where it stays until the test says so."""
    web.head(Content_Length=len(image), ETag=TAG)
    web.send(image[: web.server.steps[0]])
    web.server.step.acquire(timeout=HANG_S)


def _step_and_reset(web: _Handler, image: bytes) -> None:
    _one_step(web, image)
    web.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    web.connection.close()


def _step_and_404(web: _Handler, image: bytes) -> None:
    """The rest is not there any more."""
    if len(web.server.seen) == 1:
        _one_step(web, image)
    else:
        web.send_error(404)


def _dribble(web: _Handler, image: bytes) -> None:
    """In pieces that fit nothing, each of which the client has before the next one is sent."""
    web.head(Content_Length=len(image))
    web.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(image), 997):
        web.send(image[at : at + 997])
        wait_for(lambda: unread_bytes(web.connection) == 0, "the client to take a piece")


def unread_bytes(connection: socket.socket) -> int:
    """What was sent and is not acknowledged."""
    return struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0]


def _error_page(status: int) -> Callable[[_Handler, bytes], None]:
    def behaviour(web: _Handler, image: bytes) -> None:
        page = b"<html><h1>%d</h1></html>" % status
        web.head(status, Content_Type="text/html", Content_Length=len(page))
        web.send(page)

    return behaviour


def _html(web: _Handler, image: bytes) -> None:
    page = b"<html>please log in</html>" * 400
    web.head(Content_Type="text/html", Content_Length=len(page))
    web.send(page)


def _redirect(web: _Handler, image: bytes) -> None:
    web.head(302, Location="/ok/image.bin", Content_Length=0)


def _redirect_loop(web: _Handler, image: bytes) -> None:
    web.head(302, Location="/redirect-loop/image.bin", Content_Length=0)


def _redirect_file(web: _Handler, image: bytes) -> None:
    web.head(302, Location="file:///etc/hostname", Content_Length=0)


def _lying_gzip(web: _Handler, image: bytes) -> None:
    web.head(Content_Length=len(image), Content_Encoding="gzip")
    web.send(image)


def _partial(web: _Handler, image: bytes) -> None:
    """A part that nobody asked for."""
    half = len(image) // 2
    web.head(206, Content_Length=half, Content_Range=f"bytes 0-{half - 1}/{len(image)}")
    web.send(image[:half])


def _empty(web: _Handler, image: bytes) -> None:
    web.head(Content_Length=0)


def _ranges(web: _Handler, image: bytes) -> None:
    """As it should be."""
    first = web.wanted_from
    if first is not None and web.headers.get("If-Range") == TAG:
        web.part(image, first, ETag=TAG)
    else:
        web.whole(image, ETag=TAG)


def _no_ranges(web: _Handler, image: bytes) -> None:
    """As `python3 -m http.server`: always all of it."""
    web.whole(image, Last_Modified="Sun, 06 Nov 1994 08:49:37 GMT")


def _new_tag(web: _Handler, image: bytes) -> None:
    """The same bytes have another tag in every answer, as from several servers behind one name."""
    web.whole(image, ETag=f'"{len(web.server.seen)}"')


def _no_validators(web: _Handler, image: bytes) -> None:
    web.whole(image)


def _weak_tag(web: _Handler, image: bytes) -> None:
    web.whole(image, ETag=f"W/{TAG}")


def _instead_of_rest(
    rest: Callable[[_Handler, bytes, int], None],
) -> Callable[[_Handler, bytes], None]:
    """All of it, but for a range what `rest` makes of it."""

    def behaviour(web: _Handler, image: bytes) -> None:
        if web.wanted_from is None:
            web.whole(image, ETag=TAG)
        else:
            rest(web, image, web.wanted_from)

    return behaviour


def _retry_after(web: _Handler, image: bytes) -> None:
    """The second answer asks for a second."""
    if len(web.server.seen) == 2:
        web.head(503, Retry_After=1, Content_Length=0)
    else:
        _ranges(web, image)


_BEHAVIOURS: dict[str, Callable[[_Handler, bytes], None]] = {
    "ok": _ok,
    "no-length": _no_length,
    "short-no-length": _short_no_length,
    "cut": _cut,
    "cut-at-zero": _cut_at_zero,
    "chunked": _chunked,
    "cut-chunked": _cut_chunked,
    "stall": _stall,
    "stall-head": _stall_head,
    "reset": _reset,
    "late": _late,
    "in-steps": _in_steps,
    "step-and-end": _one_step,
    "step-and-reset": _step_and_reset,
    "step-and-404": _step_and_404,
    "dribble": _dribble,
    "401": _error_page(401),
    "404": _error_page(404),
    "500": _error_page(500),
    "503": _error_page(503),
    "html": _html,
    "redirect": _redirect,
    "redirect-loop": _redirect_loop,
    "redirect-file": _redirect_file,
    "lying-gzip": _lying_gzip,
    "partial": _partial,
    "empty": _empty,
    "ranges": _ranges,
    "no-ranges": _no_ranges,
    "new-tag": _new_tag,
    "no-validators": _no_validators,
    "weak-tag": _weak_tag,
    "another-start": _instead_of_rest(lambda web, image, at: web.part(image, at - 16, ETag=TAG)),
    "another-total": _instead_of_rest(
        lambda web, image, at: web.part(image, at, len(image) + 16, ETag=TAG)
    ),
    "another-tag": _instead_of_rest(lambda web, image, at: web.part(image, at, ETag='"other"')),
    "no-such-range": _instead_of_rest(lambda web, image, at: web.head(416, Content_Length=0)),
    "retry-after": _retry_after,
}


class FaultServer(ThreadingHTTPServer):
    """Serves one image; the first part of the path says how."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, image: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.image = image
        self.then = b""  # the image behind the first answer; b"": the same
        # Answers that can be cut are, each after so many bytes; or they end in silence.
        self.cuts: list[int] = []
        self.stalls: list[int] = []
        self.steps: list[int] = []
        self.step = threading.Semaphore(0)  # how many steps further the answer may go
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.stopping = threading.Event()  # stalled answers end
        self.go_on = threading.Event()  # answers that wait in their middle go on
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def url(self, behaviour: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{behaviour}/image.bin"

    def ranges(self) -> list[str | None]:
        """What was asked for, request by request: "bytes=N-", or None for all of it."""
        return [headers.get("Range") for _, headers in self.seen]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what many tests are about."""

    def close(self) -> None:
        self.stopping.set()
        self.go_on.set()
        self.step.release(len(self.steps) + 1)
        self.shutdown()
        self.server_close()
        self._thread.join(HANG_S)
