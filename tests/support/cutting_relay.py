# SPDX-License-Identifier: Apache-2.0
"""A TCP relay in front of a server that cuts answers off where the test says."""

import socket
import threading
from contextlib import suppress

from .process import HANG_S


class CuttingRelay:
    """Each connection's answer is cut after the next number of `cuts`; later ones are whole."""

    def __init__(self, port: int, plain: bool = True) -> None:
        """`plain` text is told that each answer is the connection's last one; TLS cannot be."""
        self.cuts: list[int] = []
        self._plain = plain
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def _serve(self) -> None:
        # One at a time: whoever was cut off comes again.
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                client.settimeout(HANG_S)
                self._relay(client, self.cuts.pop(0) if self.cuts else None)

    def _relay(self, client: socket.socket, left: int | None) -> None:
        with socket.create_connection(self._target, HANG_S) as server:
            if self._plain:
                server.sendall(self._request(client))
            else:
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
            self._pass_on(server, client, left)

    @staticmethod
    def _request(client: socket.socket) -> bytes:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = client.recv(4096)
            if not piece:
                break
            request += piece
        return request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)

    @staticmethod
    def _pass_on(come: socket.socket, go: socket.socket, left: int | None = None) -> None:
        with suppress(OSError):
            while left is None or left > 0:
                piece = come.recv(4096 if left is None else min(left, 4096))
                if not piece:
                    break
                go.sendall(piece)
                left = None if left is None else left - len(piece)
            go.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(HANG_S)
