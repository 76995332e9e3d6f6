# SPDX-License-Identifier: Apache-2.0
"""A web proxy that wants to know who one is: absolute URLs for http, CONNECT for https."""

import base64
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from .process import HANG_S

USER, PASSWORD = "proxy-user", "Sesam-proxy"
EXPECTED = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "WebProxy"

    def _admitted(self) -> bool:
        self.server.seen.append(f"{self.command} {self.path}")
        self.close_connection = True
        if self.headers.get("Proxy-Authorization") == EXPECTED:
            return True
        self.send_error(407)
        return False

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if self._admitted():
            with socket.create_connection((url.hostname, url.port), HANG_S) as server:
                head = f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n"
                server.sendall(head.encode())
                self._pass_on(server, self.connection)

    def do_CONNECT(self) -> None:
        host, port = self.path.rsplit(":", 1)
        if self._admitted():
            with socket.create_connection((host, int(port)), HANG_S) as server:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=self._pass_on, args=(server, self.connection))
                back.start()
                self._pass_on(self.connection, server)
                back.join(HANG_S)

    @staticmethod
    def _pass_on(come: socket.socket, go: socket.socket) -> None:
        try:
            while piece := come.recv(4096):
                go.sendall(piece)
            go.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


class WebProxy(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[str] = []  # method and target of each request
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def url(self, user: str = USER, password: str = PASSWORD) -> str:
        return f"http://{user}:{password}@127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is its own business."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(HANG_S)
