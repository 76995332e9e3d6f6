#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs esp_hosted_ota.cli.ota_update from this folder: see --help."""

import sys

try:
    from esp_hosted_ota.cli import ota_update
except ImportError as error:
    sys.exit(f"ota_update.py: {error}")
except KeyboardInterrupt:
    sys.exit("ota_update.py: interrupted")

if __name__ == "__main__":
    sys.exit(ota_update())
