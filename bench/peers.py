# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks run the tools against: a device and a web server that take no time."""

import functools
import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional


@contextmanager
def instant_device(build: Path, link: Path) -> Iterator[None]:
    """A device at `link` that answers at once."""
    device = subprocess.Popen(
        [build / "bin/instant_device", link], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert device.stdout is not None
    assert device.stdin is not None
    try:
        assert device.stdout.readline() == b"ready\n"
        yield
    finally:
        device.stdin.close()
        device.wait()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web_server(folder: Path, tls: Optional[tuple[Path, Path]] = None) -> Iterator[int]:
    """Serves `folder` on the port that it yields; with `tls`, a key and a certificate, by HTTPS."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls:
        key, certificate = tls
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
