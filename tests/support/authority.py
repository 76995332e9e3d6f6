# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of a test's own, by the openssl command."""

import subprocess
from pathlib import Path

from .process import HANG_S

CONFIG = """
[ca]
default_ca = here
[here]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
email_in_dn = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[leaf]
basicConstraints = CA:false
subjectAltName = {san}
"""

VALID = ("-startdate", "20200101000000Z", "-enddate", "20991231235959Z")
EXPIRED = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z")


class Authority:
    """Issues certificates; nobody trusts it but who is told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        (folder / "index").touch()
        self._configure("DNS:nobody")
        key, self.file = folder / "ca.key", folder / "ca.pem"
        self._request(key, folder / "ca.csr", "Test authority")
        self._sign(
            "-selfsign",
            "-keyfile",
            key,
            "-in",
            folder / "ca.csr",
            "-out",
            self.file,
            "-extensions",
            "authority",
            *VALID,
        )

    def issue(self, name: str, san: str = "IP:127.0.0.1", expired: bool = False) -> Path:
        """A certificate and its key in one PEM file."""
        key, request, certificate = (
            self._folder / f"{name}.{end}" for end in ("key", "csr", "crt")
        )
        self._configure(san)
        self._request(key, request, name)
        self._sign(
            "-keyfile",
            self._folder / "ca.key",
            "-cert",
            self.file,
            "-in",
            request,
            "-out",
            certificate,
            "-extensions",
            "leaf",
            *(EXPIRED if expired else VALID),
        )
        both = self._folder / f"{name}.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        return both

    def key_of(self, name: str) -> Path:
        return self._folder / f"{name}.key"

    def certificate_of(self, name: str) -> Path:
        return self._folder / f"{name}.crt"

    def _configure(self, san: str) -> None:
        (self._folder / "openssl.cnf").write_text(CONFIG.format(folder=self._folder, san=san))

    def _request(self, key: Path, request: Path, name: str) -> None:
        self._openssl(
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            key,
            "-out",
            request,
            "-subj",
            f"/CN={name}",
        )

    def _sign(self, *args: str | Path) -> None:
        self._openssl("ca", "-batch", "-notext", "-config", self._folder / "openssl.cnf", *args)

    @staticmethod
    def _openssl(*args: str | Path) -> None:
        done = subprocess.run(
            ["openssl", *args], capture_output=True, text=True, timeout=HANG_S, check=False
        )
        assert done.returncode == 0, done.stderr
