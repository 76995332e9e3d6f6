# SPDX-License-Identifier: Apache-2.0
"""A real web server: nginx, unprivileged, on a port of loopback."""

import gzip
import socket
from collections.abc import Mapping
from dataclasses import dataclass
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
    log_format asked '$request_uri $status $http_range';
    access_log {folder}/access.log asked;
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
        absolute_redirect off; # in the test's place it has another port
        location /redirect/ {{ rewrite ^/redirect/(.*)$ /plain/$1 redirect; }}
        location /moved/ {{ rewrite ^/moved/(.*)$ /redirect/$1 permanent; }}
        location /500/ {{ return 500; }}
        location /403/ {{ deny all; }}
        location /slow/ {{ alias {folder}/www/; limit_rate 200k; }}
        # So slow that a test can act in the middle, until nginx has been started again.
        location /trickle/ {{ alias {folder}/www/; limit_rate {trickle}; }}
    }}
{tls_servers}
}}
"""

TLS_SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        {client}
        root {folder}/www;
        location /plain/ {{ alias {folder}/www/; }}
        location /to-http/ {{
            rewrite ^/to-http/(.*)$ http://127.0.0.1:{plain_port}/plain/$1 redirect;
        }}
    }}
"""


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@dataclass(frozen=True)
class Tls:
    """A TLS server beside the plain one."""

    certificate: Path  # and its key, PEM
    client_authority: Path | None = None  # clients must show a certificate of this one


class Nginx:
    """Serves what publish() put there."""

    def __init__(self, folder: Path, tls: Mapping[str, Tls] | None = None) -> None:
        self.folder = folder
        (folder / "www").mkdir(parents=True)
        self._backend = FaultServer(b"")
        self._tls = tls or {}
        self._starts = 0
        self._trickle = "4k"
        self._process: Process
        for _ in range(10):
            self._ports = {name: _free_port() for name in ("plain", *self._tls)}
            self._write_config()
            if self._start() == "up":
                return
        raise AssertionError(f"nginx does not start:\n{self._log()}")

    def _write_config(self) -> None:
        servers = [
            TLS_SERVER.format(
                folder=self.folder,
                port=self._ports[name],
                plain_port=self._ports["plain"],
                certificate=tls.certificate,
                client=f"ssl_verify_client on; ssl_client_certificate {tls.client_authority};"
                if tls.client_authority
                else "",
            )
            for name, tls in self._tls.items()
        ]
        (self.folder / "nginx.conf").write_text(
            CONFIG.format(
                folder=self.folder,
                port=self._ports["plain"],
                backend=self._backend.server_address[1],
                tls_servers="".join(servers),
                trickle=self._trickle,
            )
        )

    def _start(self) -> str:
        self._starts += 1
        self._process = Process(
            ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf"],
            self.folder / f"nginx.{self._starts}",
        )
        return wait_for(self._up_or_ended, "nginx")

    @property
    def port(self) -> int:
        return self._ports["plain"]

    def kill(self) -> None:
        """In the middle of whatever it does."""
        self._process.kill()

    def start_again(self) -> None:
        """On the same ports, and at full speed."""
        self._trickle = "0"
        self._write_config()
        assert self._start() == "up", self._log()

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

    def tls_port(self, server: str) -> int:
        return self._ports[server]

    def tls_url(self, server: str, location: str, name: str, host: str = "127.0.0.1") -> str:
        return f"https://{host}:{self._ports[server]}/{location}/{name}"

    def asked(self, name: str) -> list[tuple[int, str]]:
        """Status and Range ("-": none) of the requests for this name; the last one comes late."""
        log = (self.folder / "access.log").read_text().splitlines()
        fields = [line.split(" ") for line in log]
        return [(int(at[1]), at[2]) for at in fields if at[0].endswith(f"/{name}")]

    def close(self) -> None:
        self._process.terminate()
        self._backend.close()
