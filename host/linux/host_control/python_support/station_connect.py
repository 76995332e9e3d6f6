#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs esp_hosted_ota.cli.station_connect from this folder: see --help."""

import sys

try:
    from esp_hosted_ota.cli import station_connect
except ImportError as error:
    sys.exit(f"station_connect.py: {error}")
except KeyboardInterrupt:
    sys.exit("station_connect.py: interrupted")

if __name__ == "__main__":
    sys.exit(station_connect())
