# SPDX-License-Identifier: Apache-2.0
"""A real web server: nginx, unprivileged, on a port of loopback."""

import gzip
import socket
from pathlib import Path

from .http_faults import FaultServer
from .process import Process
from .waiting import wait_for

CONFIG = """
daemon off;
master_process off;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/www;
        location /plain/ {{ alias {folder}/www/; }}
        location /no-ranges/ {{ alias {folder}/www/; max_ranges 0; }}
        # A body of a length that nginx does not know goes out in chunks.
        location /chunked/ {{ proxy_pass http://127.0.0.1:{backend}/no-length/; }}
        # Sent compressed whether or not the client can take it.
        location /gzip/ {{ alias {folder}/www/; gzip_static always; gunzip off; }}
        location /offer-gzip/ {{ alias {folder}/www/; gzip on; gzip_types *; gzip_min_length 1; }}
        location /redirect/ {{ rewrite ^/redirect/(.*)$ /plain/$1 redirect; }}
        location /moved/ {{ rewrite ^/moved/(.*)$ /redirect/$1 permanent; }}
        location /500/ {{ return 500; }}
        location /403/ {{ deny all; }}
        location /slow/ {{ alias {folder}/www/; limit_rate 200k; }}
    }}
}}
"""


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Nginx:
    """Serves what publish() put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "www").mkdir(parents=True)
        self._backend = FaultServer(b"")
        for attempt in range(10):
            self.port = _free_port()
            config = folder / "nginx.conf"
            config.write_text(
                CONFIG.format(
                    folder=folder, port=self.port, backend=self._backend.server_address[1]
                )
            )
            self._process = Process(
                ["nginx", "-p", folder, "-c", config], folder / f"nginx.{attempt}"
            )
            if wait_for(self._up_or_ended, "nginx") == "up":
                return
        raise AssertionError(f"nginx does not start:\n{self._log()}")

    def _up_or_ended(self) -> str | None:
        if not self._process.running:
            # Somebody else took the port in between; anything else is an error.
            assert "Address already in use" in self._log(), self._log()
            return "ended"
        with socket.socket() as sock:
            return "up" if sock.connect_ex(("127.0.0.1", self.port)) == 0 else None

    def _log(self) -> str:
        log = self.folder / "error.log"
        return self._process.output() + (log.read_text() if log.exists() else "")

    def publish(self, name: str, data: bytes) -> None:
        self._backend.image = data
        (self.folder / "www" / name).write_bytes(data)
        (self.folder / "www" / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))

    def url(self, location: str, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{location}/{name}"

    def close(self) -> None:
        self._process.terminate()
        self._backend.close()
