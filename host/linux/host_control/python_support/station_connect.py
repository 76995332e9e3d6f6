#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs esp_hosted_ota.cli.station_connect: see --help."""

import os
import sys

try:
    from esp_hosted_ota.cli import station_connect
except ImportError as error:
    sys.exit(f"{os.path.basename(sys.argv[0])}: {error}")
except KeyboardInterrupt:
    sys.exit(f"{os.path.basename(sys.argv[0])}: interrupted")

if __name__ == "__main__":
    sys.exit(station_connect())
