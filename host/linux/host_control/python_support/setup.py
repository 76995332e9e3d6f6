# SPDX-License-Identifier: Apache-2.0
"""Builds the native module from the C library of the repository that this folder is part of."""

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "esp_hosted_ota"))

# Where all that is built goes: nothing is left beside the sources.
BUILD = HERE.parents[3] / "build" / "pip"


class BuildNative(build_ext):
    """Has esp_hosted_ota/_build.py do the work."""

    def build_extension(self, ext: Extension) -> None:
        """Writes the module where setuptools wants it."""
        import _build

        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        _build.build(target)


BUILD.mkdir(parents=True, exist_ok=True)
setup(
    ext_modules=[Extension("esp_hosted_ota._native", sources=[], py_limited_api=True)],
    cmdclass={"build_ext": BuildNative},
    options={
        "bdist_wheel": {"py_limited_api": "cp39"},
        "build": {"build_base": str(BUILD)},
        "egg_info": {"egg_base": str(BUILD)},
    },
)
