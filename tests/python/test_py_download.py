# SPDX-License-Identifier: Apache-2.0
"""Download: how a URL is fetched. What becomes of broken downloads, the tests of all tools ask."""

import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from esp_hosted_ota import Device, Download, OtaError, OtaTimeoutError, Status, update, verify
from support import classic, images
from support.classic import Kind
from support.fake_device import FakeDevice
from support.http_faults import FaultServer
from support.process import environment
from support.tools import HOST_CONTROL, IMAGE, USAGE

ONCE = Download(retries=0)


@pytest.mark.parametrize(
    "values",
    [{"stall_timeout": 0}, {"stall_timeout": 86401}, {"retries": -1}, {"retries": 1001}],
    ids=str,
)
def test_no_such_values(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="no such"):
        Download(**values)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that is its own authority, and its key."""
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-subj", f"/CN={name}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-out", cert, "-keyout", key),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_certificates(server: FaultServer, tmp_path: Path) -> None:
    """A server that nobody knows but us, and that wants to know who we are."""
    cacert, cakey = certificate(tmp_path, "server")
    cert, key = certificate(tmp_path, "client")
    both = tmp_path / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cacert, cakey)
    context.load_verify_locations(cert)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = server.url("ok").replace("http:", "https:")

    verify(url, download=Download(retries=0, cacert=cacert, cert=both))
    verify(url, download=Download(retries=0, cacert=str(cacert), cert=cert, key=key))
    with pytest.raises(OtaError, match="certificate"):
        verify(url, download=Download(retries=0, cert=both))
    with pytest.raises(OtaError) as caught:
        verify(url, download=Download(retries=0, cacert=cacert))
    assert caught.value.status == Status.LOCAL


def test_proxy(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is named, one of the environment, and none in spite of that."""
    there = "http://nowhere.invalid/ok/image.bin"
    proxy = server.url("").rstrip("/").rsplit("/", 1)[0]
    verify(there, download=Download(retries=0, proxy=proxy))
    assert server.seen[-1][1]["Host"] == "nowhere.invalid"
    monkeypatch.setenv("http_proxy", proxy)
    verify(there, download=ONCE)
    with pytest.raises(OtaError):
        verify(there, download=Download(retries=0, proxy=""))


def test_interface(server: FaultServer) -> None:
    verify(server.url("ok"), download=Download(retries=0, interface="lo"))
    with pytest.raises(OtaError, match="nowhere0"):
        verify(server.url("ok"), download=Download(retries=0, interface="nowhere0"))


def test_stall_timeout(server: FaultServer) -> None:
    with pytest.raises(OtaTimeoutError):
        verify(server.url("stall"), download=Download(stall_timeout=1, retries=0))


@pytest.mark.parametrize("retries", [0, 1])
def test_retries(server: FaultServer, retries: int) -> None:
    lines: list[str] = []
    with pytest.raises(OtaError) as caught:
        verify(server.url("cut"), download=Download(retries=retries, log=lines.append))
    assert caught.value.status == Status.LOCAL
    assert len(server.seen) == 1 + retries
    assert bool(lines) == bool(retries)


def test_store(fake: FakeDevice, device: Device, server: FaultServer, image: bytes) -> None:
    """What is wrong at its end is seen before anything is erased."""
    for kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END):
        fake.script(kind, classic.answer(kind))
    server.image = images.with_bad_digest(image)
    store = Download(store=True)
    with pytest.raises(OtaError, match="digest") as caught:
        update(device, server.url("chunked"), download=store, reboot_timeout=0)
    assert caught.value.status == Status.IMAGE
    with pytest.raises(OtaError) as caught:
        update(device, server.url("404"), download=store, reboot_timeout=0)
    assert caught.value.http_status == 404
    assert Kind.OTA_BEGIN not in fake.kinds()
    server.image = image
    update(device, server.url("chunked"), download=store, reboot_timeout=0)
    assert fake.sent_image() == image


def run(fake: FakeDevice, *args: str) -> "subprocess.CompletedProcess[str]":
    script = HOST_CONTROL / "python_support" / "ota_update.py"
    command = [sys.executable, script, "--device", fake.path, "--timeout", "2", *args]
    return subprocess.run(command, env=environment(), capture_output=True, text=True)


def test_download_first(fake: FakeDevice, server: FaultServer, image: bytes) -> None:
    server.image = images.with_bad_digest(image)
    done = run(fake, server.url("ok"), "--download-first")
    assert done.returncode == IMAGE, done
    assert Kind.OTA_BEGIN not in fake.kinds()


def test_options_of_the_tool(fake: FakeDevice, server: FaultServer) -> None:
    """Each arrives; the first that cannot be is said."""
    url = server.url("ok")
    for option, value in {
        "--cacert": "nowhere.pem",
        "--cert": "nowhere.pem",
        "--interface": "nowhere0",
        "--proxy": "http://127.0.0.1:1",
    }.items():
        done = run(fake, url.replace("http:", "https:"), "--retries", "0", option, value)
        assert done.returncode == 1, done
        assert "nothing was erased" in done.stderr
    assert server.seen == []
    for option, value in {
        "--cacert": "",
        "--key": "",
        "--interface": "",
        "--stall-timeout": "0",
        "--retries": "-1",
    }.items():
        done = run(fake, url, f"{option}={value}")
        assert (done.returncode, option in done.stderr) == (USAGE, True), done
