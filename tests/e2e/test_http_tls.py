# SPDX-License-Identifier: Apache-2.0
"""Whom a download trusts, and which way it goes: TLS, proxies, interfaces."""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from support import netns
from support.authority import Authority
from support.classic import Kind
from support.cutting_relay import CuttingRelay
from support.nginx import Nginx, Tls
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL
from support.waiting import wait_for
from support.web_proxy import PASSWORD, USER, WebProxy

IMAGE_BYTES = 40000


@pytest.fixture(scope="module")
def image() -> bytes:
    return make_image("2.0.0", size=IMAGE_BYTES)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="module")
def web(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, image: bytes
) -> Iterator[Nginx]:
    good = authority.issue("good")
    nginx = Nginx(
        tmp_path_factory.mktemp("web"),
        {
            "good": Tls(good),
            "expired": Tls(authority.issue("expired", expired=True)),
            "other-name": Tls(authority.issue("other-name", san="DNS:other.example")),
            "for-clients": Tls(good, client_authority=authority.file),
        },
    )
    nginx.publish("ota.bin", image)
    yield nginx
    nginx.close()


@pytest.fixture
def proxy(rig: Rig) -> WebProxy:
    proxy = WebProxy()
    rig.finally_close(proxy)
    return proxy


def check_done(rig: Rig, url: str, image: bytes, *options: str, tool: str = "esp-ota") -> None:
    result = rig.update(tool, url, *options)
    assert result.status == DONE, result
    assert rig.proxy.sent_image() == image
    rig.check_arrived(image)


def check_refused(rig: Rig, url: str, message: str, *options: str) -> None:
    """At once, and the ESP32 has heard of nothing."""
    result = rig.update("esp-ota", url, "--verbose", *options)
    assert result.status == LOCAL, result
    assert re.search(message, result.stderr, re.IGNORECASE), result
    assert "; retry " not in result.stderr
    assert Kind.OTA_BEGIN not in rig.proxy.kinds()


@pytest.mark.parametrize("tool", ["test.out", "esp-ota"])
def test_a_known_authority(
    rig: Rig, web: Nginx, authority: Authority, image: bytes, tool: str
) -> None:
    rig.power_on()
    url = web.tls_url("good", "plain", "ota.bin")
    check_done(rig, url, image, "--cacert", str(authority.file), tool=tool)


def test_an_unknown_authority(rig: Rig, web: Nginx, tmp_path) -> None:
    rig.power_on()
    url = web.tls_url("good", "plain", "ota.bin")
    reason = r"unable to get local issuer|self.signed|issuer|unknown"
    check_refused(rig, url, reason)
    check_refused(rig, url, reason, "--cacert", str(Authority(tmp_path / "ca").file))


@pytest.mark.parametrize(
    ("server", "message"),
    [("expired", r"expired"), ("other-name", r"does not match|no alternative certificate")],
)
def test_certificates_that_do_not_hold(
    rig: Rig, web: Nginx, authority: Authority, server: str, message: str
) -> None:
    rig.power_on()
    url = web.tls_url(server, "plain", "ota.bin")
    check_refused(rig, url, message, "--cacert", str(authority.file))


def test_a_client_certificate(rig: Rig, web: Nginx, authority: Authority, image: bytes) -> None:
    rig.power_on()
    client = authority.issue("client")
    trust = ("--cacert", str(authority.file))
    url = web.tls_url("for-clients", "plain", "ota.bin")
    check_refused(rig, url, r"HTTP status 400", *trust)
    check_refused(rig, url, r"cert", *trust, "--cert", "/nonexistent.pem")
    check_done(
        rig,
        url,
        image,
        *trust,
        "--cert",
        str(authority.certificate_of("client")),
        "--key",
        str(authority.key_of("client")),
    )
    # The key may be in the same file.
    result = rig.tools.run("esp-ota", "verify", url, *trust, "--cert", str(client))
    assert result.status == DONE, result


def test_an_encrypted_key_is_not_asked_about(rig: Rig, web: Nginx, authority: Authority) -> None:
    """At a terminal OpenSSL would ask for its password; a tool in the field would wait for ever."""
    authority.issue("locked")
    key = rig.folder / "locked.key"
    command = ["openssl", "ec", "-aes128", "-passout", "pass:x", "-out", key]
    subprocess.run([*command, "-in", authority.key_of("locked")], check=True, capture_output=True)
    master, slave = os.openpty()
    try:
        process = rig.tools.start(
            "esp-ota",
            "verify",
            web.tls_url("for-clients", "plain", "ota.bin"),
            *("--cacert", str(authority.file), "--key", key),
            *("--cert", authority.certificate_of("locked")),
            wrap=("setsid", "--ctty", "--wait"),
            stdin=slave,
        )
        result = rig.tools.finish(process)
    finally:
        os.close(slave)
        os.close(master)
    assert result.status == LOCAL, result
    assert re.search(r"key", result.stderr), result


def test_a_tls_server_that_wants_to_know_its_client(rig: Rig, authority: Authority) -> None:
    """It says so by an alert, behind the handshake of TLS 1.3: no second attempt helps."""
    good = authority.issue("strict")
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", good, "-Verify", "1", "-WWW"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        line = next(line for line in server.stdout if line.startswith("ACCEPT"))
        port = line.strip().rsplit(":", 1)[1]
        trust = ("--cacert", str(authority.file))
        url = f"https://127.0.0.1:{port}/x.bin"
        result = rig.tools.run("esp-ota", "verify", url, *trust, "--verbose")
        assert result.status == LOCAL, result
        assert "alert" in result.stderr
        assert "; retry " not in result.stderr
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_not_from_tls_to_plain_text(rig: Rig, web: Nginx, authority: Authority) -> None:
    rig.power_on()
    url = web.tls_url("good", "to-http", "ota.bin")
    message = r"the server redirects from https to http, which is not followed"
    check_refused(rig, url, message, "--cacert", str(authority.file))


def test_tls_cut_twice(rig: Rig, web: Nginx, authority: Authority, image: bytes) -> None:
    rig.power_on()
    relay = CuttingRelay(web.tls_port("good"), plain=False)
    rig.finally_close(relay)
    relay.cuts = [25000, 20000]  # nginx's TLS records have 16 KiB, and count only when whole
    url = f"https://127.0.0.1:{relay.port}/plain/ota.bin"
    check_done(rig, url, image, "--cacert", str(authority.file))
    assert not relay.cuts
    wait_for(lambda: len([at for at, _ in web.asked("ota.bin") if at == 206]) == 2, "nginx's log")


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_proxy(
    rig: Rig, web: Nginx, authority: Authority, proxy: WebProxy, image: bytes, tls: bool, by: str
) -> None:
    rig.power_on()
    url = web.tls_url("good", "plain", "ota.bin") if tls else web.url("plain", "ota.bin")
    trust = ("--cacert", str(authority.file), "--verbose")
    where = ("--proxy", proxy.url()) if by == "option" else ()
    env = {} if where else {"http_proxy": proxy.url(), "https_proxy": proxy.url()}
    result = rig.command("esp-ota", "update", url, "--reboot-timeout", "0", *trust, *where, env=env)
    assert result.status == DONE, result
    rig.check_arrived(image)
    assert [seen.split(" ")[0] for seen in proxy.seen] == ["CONNECT" if tls else "GET"]
    # What was on the command line is not what anybody said.
    assert PASSWORD not in result.output
    assert USER not in result.output


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_proxy_refuses(
    rig: Rig, web: Nginx, authority: Authority, proxy: WebProxy, tls: bool
) -> None:
    rig.power_on()
    url = web.tls_url("good", "plain", "ota.bin") if tls else web.url("plain", "ota.bin")
    wrong = proxy.url(password="Sesam-wrong")
    trust = ("--cacert", str(authority.file))
    check_refused(rig, url, r"the proxy answered with HTTP status 407", *trust, "--proxy", wrong)
    assert "Sesam-wrong" not in rig.tools.said[-1].output


def test_no_proxy(rig: Rig, web: Nginx, proxy: WebProxy) -> None:
    rig.power_on()
    url = web.url("plain", "ota.bin")
    env = {"http_proxy": proxy.url()}
    result = rig.tools.run("esp-ota", "verify", url, "--proxy", "", env=env)
    assert result.status == DONE, result
    assert not proxy.seen


def test_an_interface(rig: Rig, web: Nginx) -> None:
    """Through the one that is named, or not at all."""
    url = web.url("plain", "ota.bin")
    result = rig.tools.run("esp-ota", "verify", url, "--interface", "lo")
    assert result.status == DONE, result
    result = rig.tools.run("esp-ota", "verify", url, "--interface", "nonesuch0")
    assert result.status == LOCAL, result
    assert "nonesuch0" in result.stderr


@pytest.mark.skipif(netns.why_not() is not None, reason=f"no TAP: {netns.why_not()}")
def test_an_interface_that_leads_nowhere(rig: Rig, image: bytes) -> None:
    """Routes would lead there; the interface that is named does not."""
    net = netns.Namespace()
    rig.finally_close(net)
    net.run("ip", "tuntap", "add", "dev", "ethsta0", "mode", "tap")
    net.run("ip", "address", "add", "192.0.2.1/24", "dev", "ethsta0")
    (rig.folder / "image.bin").write_bytes(image)
    with subprocess.Popen(
        [*net.enter, "python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=rig.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            port = re.search(r"port (\d+)", server.stdout.readline())[1]
            args = ("verify", f"http://127.0.0.1:{port}/image.bin")
            result = rig.tools.run("esp-ota", *args, wrap=net.enter)
            assert result.status == DONE, result
            args = (*args, "--interface", "ethsta0", "--stall-timeout", "1")
            result = rig.tools.run("esp-ota", *args, wrap=net.enter)
            assert result.status == LOCAL, result
        finally:
            server.kill()
