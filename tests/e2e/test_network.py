# SPDX-License-Identifier: Apache-2.0
"""The ESP32's network: ethsta0, an access point behind it, and an update through both.

Everything lives in two network namespaces: the host's, with ethsta0, and the access point's.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import netns
from support.json_schema import check
from support.netns import Namespace
from support.process import Process, Result
from support.rig import VERB, Rig
from support.shelf import make_image
from support.tools import DONE, ROOT

pytestmark = pytest.mark.skipif(netns.why_not() is not None, reason=f"no TAP: {netns.why_not()}")

ECHO = ROOT / "tests/support/udp_echo.py"
PASSWORD = "Sesam-7-auf!"
AP_ADDRESS, HOST_ADDRESS = "192.168.77.1", "192.168.77.2"
MAC = "24:0a:c4:11:22:33"


class Network:
    """A host with an ESP32, and an access point with a web server."""

    def __init__(self, rig: Rig, *options: str) -> None:
        self.rig = rig
        self._echo: Process | None = None
        self.host = Namespace()
        rig.finally_close(self.host)
        self.ap = Namespace()
        rig.finally_close(self.ap)
        aps = rig.aps(
            {
                "ssid": "Home",
                "bssid": "02:00:00:00:00:01",
                "channel": 6,
                "rssi": -40,
                "security": "wpa2",
                "password": PASSWORD,
                "tap": "ap0",
            }
        )
        sim = rig.add_simulator("--mac", MAC, "--aps", aps, *options, wrap=self.ap.enter)
        sim.start()
        rig.old = sim.events("boot")[-1]["version"]
        rig.wait(lambda: self.ap.link("ap0"), "the access point's interface")
        self.ap.run("ip", "address", "add", f"{AP_ADDRESS}/24", "dev", "ap0")
        self.ap.run("ip", "link", "set", "ap0", "up")
        rig.add_hostedd("ethsta0", wrap=self.host.enter)
        rig.wait(lambda: self.host.link("ethsta0"), "ethsta0")

    def tool(self, tool: str, *args: str) -> Result:
        return self.rig.command(tool, *args, wrap=self.host.enter)

    def connect(self, tool: str = "test.out") -> None:
        if tool == "test.out":
            result = self.tool(tool, "sta_connect", "--ssid", "Home", "--password", PASSWORD)
        else:
            result = self.tool(tool, "Home", PASSWORD)
        assert result.status == DONE, result
        self.rig.wait(lambda: self.host.has_carrier("ethsta0"), "a carrier on ethsta0")

    def give_address(self) -> None:
        self.host.run("ip", "address", "replace", f"{HOST_ADDRESS}/24", "dev", "ethsta0")

    def exchange(self, count: int = 3, size: int = 100) -> None:
        """Packets to the access point's side and back."""
        if self._echo is None:
            self._echo = Process(
                [*self.ap.enter, sys.executable, ECHO, "serve", AP_ADDRESS, "7"],
                self.rig.folder / "echo",
            )
            self.rig.finally_kill(self._echo)
            self._echo.wait_output("ready")
        self.host.run(sys.executable, str(ECHO), "ask", AP_ADDRESS, "7", str(count), str(size))

    def serve(self, folder: Path) -> str:
        """python3 -m http.server on the access point's side, as the specification has it."""
        server = Process(
            [
                *self.ap.enter,
                sys.executable,
                "-u",
                "-m",
                "http.server",
                "9999",
                "--directory",
                folder,
            ],
            self.rig.folder / "http.server",
        )
        self.rig.finally_kill(server)
        server.wait_output("Serving HTTP")
        return f"http://{AP_ADDRESS}:9999"


@pytest.fixture
def network(rig: Rig) -> Iterator[Network]:
    return Network(rig)


@pytest.mark.parametrize("tool", ["test.out", "station_connect.py"])
def test_connect_brings_ethsta0_up(network: Network, tool: str) -> None:
    assert not network.host.has_carrier("ethsta0")
    network.connect(tool)
    link = network.host.link("ethsta0")
    assert link["address"] == MAC
    assert "UP" in link["flags"]
    network.give_address()
    network.exchange()
    assert PASSWORD not in network.rig.said()


def test_esp_ota_connects_for_programs(network: Network) -> None:
    result = network.tool("esp-ota", "wifi", "connect", "Home", "--password", PASSWORD, "--json")
    assert check(result, "wifi connect") == []
    assert result.told == {"status": DONE, "ssid": "Home", "interface": "ethsta0", "mac": MAC}
    assert network.host.link("ethsta0")["address"] == MAC
    network.rig.wait(lambda: network.host.has_carrier("ethsta0"), "a carrier on ethsta0")
    result = network.tool("esp-ota", "wifi", "disconnect", "--json")
    assert check(result, "wifi disconnect") == []
    assert "UP" not in network.host.link("ethsta0")["flags"]
    assert PASSWORD not in network.rig.said()


def test_carrier_follows_the_association(network: Network) -> None:
    network.connect()
    assert network.tool("test.out", "sta_disconnect").status == DONE
    network.rig.wait(
        lambda: not network.host.has_carrier("ethsta0"), "the carrier of ethsta0 to drop"
    )
    network.connect()


def test_wrong_password_gives_no_carrier(network: Network) -> None:
    result = network.tool("test.out", "sta_connect", "--ssid", "Home", "--password", "x" * 8)
    assert result.status != DONE
    assert not network.host.has_carrier("ethsta0")


@pytest.mark.parametrize("tool", ["test.out", "esp-ota", "ota_update.py"])
def test_update_over_the_esp32s_own_wifi(network: Network, tool: str) -> None:
    """What the specification tells a user to do; and all of it again after the reboot."""
    rig = network.rig
    www = rig.folder / "www"
    www.mkdir()
    url = f"{network.serve(www)}/network_adapter.bin"
    network.connect()
    network.give_address()
    index = network.host.link("ethsta0")["ifindex"]
    control = rig.hostedd.control.resolve()

    for turn, version in enumerate(("2.0.0", "2.1.0"), start=2):
        image = make_image(version, size=40000)
        (www / "network_adapter.bin").write_bytes(image)
        result = network.tool(tool, *VERB[tool], url)
        assert result.status == DONE, result
        booted = rig.sim.wait_boots(turn)
        assert booted["version"] == version
        rig.sim.flash.check_slot_holds(booted["slot"], image)

        # The new firmware has joined nothing yet.
        rig.wait(lambda: not network.host.has_carrier("ethsta0"), "the carrier to drop")
        link = network.host.link("ethsta0")
        assert link["ifindex"] == index, "ethsta0 is another one after the reboot"
        assert any(a["local"] == HOST_ADDRESS for a in link["addr_info"]), "its address is lost"
        assert rig.hostedd.control.resolve() == control
        network.connect()
        network.exchange()


def test_large_frames_and_many(network: Network) -> None:
    network.connect()
    network.give_address()
    for size in (4, 1000, 1471, 1472):  # 1472: a full Ethernet frame
        network.exchange(50, size)


def test_ethsta0_ends_with_its_driver(network: Network) -> None:
    network.connect()
    network.rig.hostedd.stop()
    assert network.host.link("ethsta0") is None
    assert not network.rig.hostedd.control.is_symlink()
