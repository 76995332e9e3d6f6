# SPDX-License-Identifier: Apache-2.0
"""Network namespaces of a test's own: without a name, and gone with the process that holds them."""

import json
import os
import subprocess
from typing import Any

from .process import HANG_S

# A user who is not root is root in a user namespace of his own.
UNSHARE = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")


def why_not() -> str | None:
    """Why there can be no TAP here, or None where there can."""
    probe = "ip tuntap add dev probe mode tap"
    done = subprocess.run([*UNSHARE, "sh", "-c", probe], capture_output=True, text=True)
    return done.stderr.strip() or "no reason given" if done.returncode else None


class Namespace:
    """One network namespace, with loopback up."""

    def __init__(self) -> None:
        # A shell that says when it is inside, and then waits for its standard input to close.
        self._holder = subprocess.Popen(
            [*UNSHARE, "sh", "-c", "ip link set lo up && echo ready && read line"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self._holder.stdout.readline()
        assert line == "ready\n", "no network namespace"

    @property
    def enter(self) -> tuple[str, ...]:
        """In front of a command that is to run inside."""
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        return ("nsenter", "--target", str(self._holder.pid), "--net", *user)

    def run(self, *args: str) -> str:
        done = subprocess.run([*self.enter, *args], capture_output=True, text=True, timeout=HANG_S)
        assert done.returncode == 0, f"{' '.join(args)}: {done.stderr}{done.stdout}"
        return done.stdout

    def link(self, name: str) -> dict[str, Any] | None:
        """An interface as `ip` describes it; None if there is none."""
        links = json.loads(self.run("ip", "-json", "address", "show"))
        return next((link for link in links if link.get("ifname") == name), None)

    def has_carrier(self, name: str) -> bool:
        link = self.link(name)
        return link is not None and "LOWER_UP" in link["flags"]

    def close(self) -> None:
        self._holder.stdin.close()
        self._holder.wait(HANG_S)
        self._holder.stdout.close()


__all__ = ["UNSHARE", "Namespace", "why_not"]
