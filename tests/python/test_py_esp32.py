# SPDX-License-Identifier: Apache-2.0
"""commands.py and the package on a virtual ESP32, from joining a network to the new firmware."""

import errno

import pytest
from esp_hosted_ota import (
    Device,
    Encryption,
    Event,
    EventKind,
    Feature,
    Mode,
    OtaError,
    OtaTimeoutError,
    Status,
    update,
)
from support.dialects import CTRL
from support.rig import Rig
from support.shelf import make_image

HOME = {
    "ssid": "Home",
    "bssid": "02:00:00:00:00:01",
    "channel": 6,
    "rssi": -40,
    "security": "wpa2",
    "password": "Sesam-7-auf!",
}


@pytest.mark.parametrize("firmware", ["own", "stock"])
def test_commands(rig: Rig, monkeypatch: pytest.MonkeyPatch, firmware: str) -> None:
    import commands

    options = ("--stock",) if firmware == "stock" else ()
    rig.power_on("--aps", rig.aps(HOME), "--mac", "24:0a:c4:11:22:33", *options)
    monkeypatch.setenv("ESP_HOSTED_DEVICE", str(rig.device))
    assert commands.wifi_set_mode(commands.WIFI_MODE_STATION) == "success"
    assert commands.wifi_get_mode() == 1
    assert commands.wifi_get_mac(1) == "24:0a:c4:11:22:33"
    assert [ap.ssid for ap in commands.wifi_ap_scan_list()] == ["Home"]
    assert commands.wifi_get_ap_config() == "failure"
    join = commands.wifi_set_ap_config
    assert join("Home", "Salami-8-zu!", "", False, 3) == "invalid_password_str"
    if firmware == "own":  # stock firmware gives a second failure no reason
        assert join("Away", "12345678", "", False, 3) == "no_ap_found"
    assert join("Home", "Sesam-7-auf!", HOME["bssid"], True, 3) == "success"
    assert commands.wifi_get_ap_config() == ("Home", "02:00:00:00:00:01", 6, -40, 3)
    assert commands.wifi_disconnect_ap() == "success"

    image = make_image("2.0.0", size=40000)
    assert commands.esp_ota_begin() == "success"
    for at in range(0, len(image), 1500):
        assert commands.esp_ota_write(image[at : at + 1500]) == "success"
    assert commands.esp_ota_end() == "success"
    rig.check_arrived(image)


def test_the_package(rig: Rig) -> None:
    image = make_image("2.0.0", size=40000)
    path = rig.file("image.bin", image)
    rig.power_on()
    with Device(rig.device) as device:
        mode, identity = device.get_mode()
        assert mode is Mode.NONE
        assert identity == device.identity
        assert identity.version == rig.old
        with pytest.raises(OtaError) as caught:
            update(device, path, chip=5)
        assert caught.value.status == Status.IMAGE
        result = update(device, path)
        assert (result.answered, result.verified, result.version) == (True, True, "2.0.0")
        assert (result.confirmed, result.trial_missed) == (True, False)
        assert (result.sent_bytes, result.kept_bytes) == (40000, 0)
        assert device.identity.version == "2.0.0"
        assert device.dialect == "classic"
    rig.check_arrived(image)


@pytest.mark.parametrize("trial", [None, 100])
def test_a_trial_that_cannot_be(rig: Rig, trial: int | None) -> None:
    """Stock firmware puts nothing on trial: who has asked for one learns it from the result."""
    path = rig.file("image.bin", make_image("2.0.0", size=4016))
    rig.power_on("--stock")
    with Device(rig.device) as device:
        result = update(device, path, trial=trial)
    assert (result.confirmed, result.trial_missed) == (False, trial is not None)


def test_another_chips_image(rig: Rig) -> None:
    """Our firmware tells its chip: nobody need say it."""
    path = rig.file("image.bin", make_image("2.0.0", size=4016, chip="esp32c3"))
    rig.power_on()
    with Device(rig.device) as device, pytest.raises(OtaError, match="ESP32-C3") as caught:
        update(device, path)
    assert caught.value.status == Status.IMAGE
    rig.check_boots(rig.old)


# The ctrl dialect


@pytest.mark.parametrize("options", [(), ("--stock",)], ids=["own", "stock"])
def test_ctrl(rig: Rig, options: tuple[str, ...]) -> None:
    """Found out, with its events, its release, and the network that a connect ends in."""
    events: list[Event] = []
    rig.power_on("--aps", rig.aps(HOME), *options, dialect=CTRL, proxy=False)
    with Device(rig.device, event=events.append) as device:
        assert device.dialect == "auto"
        assert device.get_mode()[0] is Mode.STATION
        assert device.dialect == "ctrl"
        assert device.get_version() == ("FG-1.0.0.0.0" if options else "FG-0.0.0.0.0")

        device.connect("Home", HOME["password"])
        connected = [event for event in events if event.kind is EventKind.CONNECTED]
        assert [(e.ssid, e.bssid, e.channel, e.encryption) for e in connected] == [
            ("Home", HOME["bssid"], 6, device.get_ap().encryption)
        ]
        assert connected[0].encryption in set(Encryption)
        assert device.get_ap().ssid == "Home"

        device.set_heartbeat(10)
        rig.sim.control("advance 10")
        device.listen(60)
        assert events[-1].kind is EventKind.HEARTBEAT
        device.set_heartbeat(0)
        with pytest.raises(OtaTimeoutError):
            device.listen(0.01)


def test_classic_has_no_heartbeat(rig: Rig) -> None:
    rig.power_on()
    with Device(rig.device) as device, pytest.raises(OtaError) as caught:
        device.set_heartbeat(10)
    assert caught.value.errno == errno.ENOTSUP
    assert "classic has no set_heartbeat" in str(caught.value)


def test_what_an_event_callback_raises(rig: Rig) -> None:
    """It comes once the call is done, and that was."""

    def fail(_event: Event) -> None:
        raise RuntimeError("mine")

    rig.power_on("--aps", rig.aps(HOME), dialect=CTRL, proxy=False)
    with Device(rig.device, dialect="ctrl", event=fail) as device:
        with pytest.raises(RuntimeError, match="mine") as caught:
            device.connect("Home", HOME["password"])
        assert caught.value.__cause__ is None
        assert device.get_ap().ssid == "Home"
        assert device.counters.events > 0


def test_features(rig: Rig) -> None:
    rig.power_on(dialect=CTRL, proxy=False)
    with Device(rig.device, dialect="ctrl") as device:
        device.set_feature(Feature.WIFI, True)
        with pytest.raises(OtaError) as caught:  # built without
            device.set_feature(Feature.BLUETOOTH, True)
        assert caught.value.status == Status.REFUSED
        with pytest.raises(ValueError):
            device.set_feature(3, True)
        assert device.identity.features == 23  # sessions, digests, trial, window
