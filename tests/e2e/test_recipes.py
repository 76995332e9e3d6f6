# SPDX-License-Identifier: Apache-2.0
"""The recipes for Yocto and Buildroot, as far as that can be seen without either."""

import hashlib
import re
import subprocess
from pathlib import Path

import kconfiglib
import pytest
from support.tools import ROOT

YOCTO = ROOT / "packaging/yocto/esp-hosted-ota_git.bb"
BUILDROOT = ROOT / "packaging/buildroot/package/esp-hosted-ota"
MAKEFILE = BUILDROOT / "esp-hosted-ota.mk"
DEBIAN = ROOT / "packaging/debian"

NEEDED = ("INSTALL_LIBSTDCPP", "TOOLCHAIN_HAS_THREADS", "PACKAGE_HOST_PROTOBUF_ARCH_SUPPORTS")
SELECTED = ("CJSON", "OPENSSL", "PROTOBUF_C", "LIBCURL")


@pytest.mark.parametrize("recipe", [YOCTO, MAKEFILE, DEBIAN / "rules"], ids=lambda path: path.name)
def test_options(recipe: Path) -> None:
    """Those that a recipe gives are those that CMake has."""
    known = set()
    for folder in ("", "cmake", "host", "packaging"):
        for file in (ROOT / folder).rglob("*") if folder else [ROOT / "CMakeLists.txt"]:
            if file.name == "CMakeLists.txt" or file.suffix == ".cmake":
                text = file.read_text()
                known |= set(re.findall(r"option\((HOSTED_\w+)", text))
                known |= set(re.findall(r"set\((HOSTED_\w+)[^)]*\bCACHE\b", text))
    given = set(re.findall(r"-D(HOSTED_\w+)", recipe.read_text()))
    assert given
    assert given <= known


def test_versions() -> None:
    version = re.search(r"VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text().split("project")[1])
    assert version
    assert f"({version[1]}-" in (DEBIAN / "changelog").read_text().splitlines()[0]
    assert f'PV = "{version[1]}+git' in YOCTO.read_text()
    assert f"_VERSION = {version[1]}\n" in MAKEFILE.read_text()


def test_yocto() -> None:
    text = YOCTO.read_text()
    license_sum = hashlib.md5((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert f"file://LICENSE;md5={license_sum}" in text
    unit = re.search(r'SYSTEMD_SERVICE:\$\{PN\} = "(.*)"', text)
    assert unit
    assert (ROOT / f"packaging/system/{unit[1]}.in").exists()
    logical = re.sub(r"\\\n", " ", text)
    for line in logical.splitlines():
        assignment = r'[\w:${}\[\]-]+ (=|\?=|\?\?=|\+=|=\+) "[^"]*"'
        assert line.startswith(("#", "inherit ")) or not line or re.fullmatch(assignment, line), (
            line
        )


@pytest.mark.parametrize("missing", [None, *NEEDED])
def test_buildroot_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str | None
) -> None:
    """It can be chosen where its dependencies allow, and brings what it needs."""
    symbols = {f"BR2_{name}": name != missing for name in NEEDED}
    symbols |= {"BR2_STATIC_LIBS": False}
    stub = "".join(
        f"config {name}\n\tbool\n\tdefault {'y' if value else 'n'}\n"
        for name, value in symbols.items()
    )
    stub += "".join(f"config BR2_PACKAGE_{name}\n\tbool\n" for name in SELECTED)
    (tmp_path / "Config.in").write_text(f"{stub}source '{BUILDROOT}/Config.in'\n")
    monkeypatch.setenv("CONFIG_", "")
    config = kconfiglib.Kconfig(str(tmp_path / "Config.in"), warn_to_stderr=False)
    assert not config.warnings
    config.syms["BR2_PACKAGE_ESP_HOSTED_OTA"].set_value("y")
    expected = "n" if missing else "y"
    for name in ("ESP_HOSTED_OTA", *SELECTED):
        assert config.syms[f"BR2_PACKAGE_{name}"].str_value == expected, name


@pytest.mark.parametrize("http", ["y", ""])
def test_buildroot_makefile(tmp_path: Path, http: str) -> None:
    external = ROOT / "packaging/buildroot"
    (tmp_path / "Makefile").write_text(
        "cmake-package = all:\n"
        f"BR2_EXTERNAL_ESP_HOSTED_OTA_PATH = {external}\n"
        f"BR2_PACKAGE_ESP_HOSTED_OTA_HTTP = {http}\n"
        f"include {external}/external.mk\n"
        "all:\n"
        "\t@echo $(ESP_HOSTED_OTA_SITE)\n"
        "\t@echo $(ESP_HOSTED_OTA_CONF_OPTS)\n"
        "\t@echo $(ESP_HOSTED_OTA_DEPENDENCIES)\n"
        "\t@echo $(ESP_HOSTED_OTA_USERS)\n"
    )
    made = subprocess.run(
        ["make", "--warn-undefined-variables", "-C", tmp_path, "--no-print-directory"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stderr == ""
    site, options, dependencies, users = made.stdout.splitlines()
    assert Path(site).resolve() == ROOT
    assert ("-DHOSTED_HTTP=ON" if http else "-DHOSTED_HTTP=OFF") in options.split()
    assert ("libcurl" in dependencies.split()) == bool(http)
    assert users.split()[:3] == ["-", "-", "esp-hosted"]
    assert "esp-hosted" in (ROOT / "packaging/system/esp-hosted-ota.sysusers").read_text()
