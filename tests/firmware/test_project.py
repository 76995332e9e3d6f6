# SPDX-License-Identifier: Apache-2.0
"""What idf.py reads of the firmware, and nothing else in this build does."""

import re
from pathlib import Path

import kconfiglib
import pytest
from support.tools import ROOT

PROJECT = ROOT / "esp/network_adapter"

# MOSI, MISO, SCLK, CS, handshake, data ready: upstream's defaults, today's and of the classic days.
PINS = {
    "esp32": (13, 12, 14, 15, 2, 4),
    "esp32s2": (11, 13, 12, 10, 2, 4),
    "esp32s3": (11, 13, 12, 10, 2, 4),
    "esp32c3": (7, 2, 6, 10, 3, 4),
    "esp32c6": (7, 2, 6, 10, 3, 4),
}
NAMES = ("MOSI", "MISO", "SCLK", "CS", "HANDSHAKE", "DATA_READY")


def configuration(chip: str, folder: Path, dialect: str | None = None) -> dict[str, str]:
    """The project's own symbols, as they are without anybody's choice but that of a dialect."""
    top = folder / "Kconfig"
    top.write_text(
        f"config IDF_TARGET_{chip.upper()}\n    def_bool y\n"
        f'source "{PROJECT}/main/Kconfig.projbuild"\n'
    )
    tree = kconfiglib.Kconfig(str(top), warn_to_stderr=False)
    unknown = [warning for warning in tree.warnings if "IDF_TARGET" not in warning]
    assert not unknown
    if dialect is not None:
        tree.syms[f"HOSTED_DIALECT_{dialect}"].set_value("y")
    return {
        f"CONFIG_{symbol.name}": symbol.str_value
        for symbol in tree.unique_defined_syms
        if symbol.name.startswith("HOSTED_")
    }


@pytest.mark.parametrize("chip", PINS)
def test_pins_are_upstreams(chip: str, tmp_path: Path) -> None:
    config = configuration(chip, tmp_path)
    pins = tuple(int(config[f"CONFIG_HOSTED_GPIO_{name}"]) for name in NAMES)
    assert pins == PINS[chip]
    assert len(set(pins)) == len(pins)


@pytest.mark.parametrize("chip", PINS)
@pytest.mark.parametrize("chosen", [None, "CLASSIC", "CTRL"])
def test_one_dialect_is_built_and_spoken_to_as_its_drivers_do(
    chip: str, chosen: str | None, tmp_path: Path
) -> None:
    config = configuration(chip, tmp_path, chosen)
    spoken = {
        name for name in ("CLASSIC", "CTRL") if config[f"CONFIG_HOSTED_DIALECT_{name}"] == "y"
    }
    assert spoken == {chosen or "CLASSIC"}
    today = chosen == "CTRL" and chip != "esp32"
    assert config["CONFIG_HOSTED_SPI_MODE"] == ("3" if today else "2")


def test_readme_has_the_same_pins() -> None:
    """Its columns are the ESP32, S2 and S3, C3 and C6."""
    rows = re.findall(
        r"^\| [\w ]+ \| (\d+) \| (\d+) \| (\d+) \|$", (PROJECT / "README.md").read_text(), re.M
    )
    columns = [tuple(int(pin) for pin in column) for column in zip(*rows)]
    assert columns == [PINS["esp32"], PINS["esp32s3"], PINS["esp32c6"]]


def test_every_symbol_in_the_code_is_configured(tmp_path: Path) -> None:
    used = {
        name
        for source in (PROJECT / "main").glob("*.[ch]")
        for name in re.findall(r"CONFIG_HOSTED_\w+", source.read_text())
    }
    assert used
    for chip in PINS:
        assert used == set(configuration(chip, tmp_path)), chip


@pytest.mark.parametrize("chip", PINS)
def test_each_chip_has_its_table(chip: str) -> None:
    """tests/unit/firmware looks at what is in it."""
    defaults = (PROJECT / f"sdkconfig.defaults.{chip}").read_text()
    named = re.search(r'^CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="(.+)"$', defaults, re.M)
    assert named is not None
    assert named[1] == f"partitions.{chip}.csv"
    assert (PROJECT / named[1]).is_file()


def test_image_and_project_have_one_version() -> None:
    project = re.search(
        r"^project\(.* VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(), re.M
    )
    assert project is not None
    assert (PROJECT / "version.txt").read_text().strip() == project[1]
