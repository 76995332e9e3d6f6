# SPDX-License-Identifier: Apache-2.0
"""commands.py and the package on a virtual ESP32, from joining a network to the new firmware."""

import pytest
from esp_hosted_ota import Device, Mode, OtaError, Result, Status, update
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
        assert result == Result(answered=True, verified=True, version="2.0.0")
        assert device.identity.version == "2.0.0"
        assert device.dialect == "classic"
    rig.check_arrived(image)


def test_another_chips_image(rig: Rig) -> None:
    """Our firmware tells its chip: nobody need say it."""
    path = rig.file("image.bin", make_image("2.0.0", size=4016, chip="esp32c3"))
    rig.power_on()
    with Device(rig.device) as device, pytest.raises(OtaError, match="ESP32-C3") as caught:
        update(device, path)
    assert caught.value.status == Status.IMAGE
    rig.check_boots(rig.old)
