# SPDX-License-Identifier: Apache-2.0
"""A terminal that somebody looks at: tmux, with a window of a given size."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .process import environment
from .waiting import HANG_S, wait_for

LINES = 40

CONFIG = "set -g status off\nset -g default-terminal screen-256color\n"

# Written behind all that the program has written; the window stays to be read.
END = "[ended with "
SCRIPT = f"\"$@\"; printf '\\n{END}%d]' $?; exec cat"


class Screen:
    """One program in a window of its own, of a tmux of its own."""

    def __init__(
        self,
        folder: Path,
        command: Sequence[str | Path],
        columns: int = 100,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._socket = folder / "tmux"
        config = folder / "tmux.conf"
        config.write_text(CONFIG)
        # TERM is tmux's to set; what the test wants stands in front of the program.
        line = ["env", *(f"{k}={v}" for k, v in (env or {}).items())]
        line += ["sh", "-c", SCRIPT, "sh", *map(str, command)]
        size = ("-x", str(columns), "-y", str(LINES))
        self._tmux("-f", str(config), "-u", "new-session", "-d", *size, shlex.join(line))

    def _tmux(self, *args: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *args],
            capture_output=True,
            text=True,
            timeout=HANG_S,
            env={"TERM": "xterm-256color", **environment()},
        )
        assert done.returncode == 0, f"tmux {' '.join(args)}: {done.stderr}"
        return done.stdout

    def text(self, colours: bool = False) -> str:
        """What the program has written, as it is to be seen: with its escape sequences or not."""
        shown = self._tmux("capture-pane", "-p", "-J", *(["-e"] if colours else []))
        lines = [line.rstrip() for line in shown.partition(END)[0].split("\n")]
        return "\n".join(lines).strip("\n")

    def wait(self, *texts: str) -> str:
        """Waits until all of the texts can be seen at once."""

        def shown() -> str:
            text = self.text()
            return text if all(each in text for each in texts) else ""

        try:
            return wait_for(shown, f"{texts} on the screen")
        except AssertionError:
            print(self.text())
            raise

    def keys(self, *keys: str) -> None:
        """As tmux names them: "Tab", "C-c"; other text is typed as it is."""
        self._tmux("send-keys", *keys)

    def resize(self, columns: int) -> None:
        self._tmux("resize-window", "-x", str(columns))

    @property
    def status(self) -> int | None:
        """The program's exit status; None while it runs."""
        ended = re.search(re.escape(END) + r"(\d+)]", self._tmux("capture-pane", "-p"))
        return int(ended[1]) if ended else None

    def wait_end(self) -> int:
        """Waits until the program has ended; its exit status."""
        wait_for(lambda: self.status is not None, "the end of the program")
        assert self.status is not None
        return self.status

    def close(self) -> None:
        """Until nobody is left who could still write a file, as a shell does with its history."""
        session = int(self._tmux("display-message", "-p", "#{pane_pid}"))
        self._tmux("kill-server")
        for pid in _processes(session):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not _processes(session), "the end of all that ran in the terminal")


def _processes(session: int) -> list[int]:
    """Those of a session that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # Behind the name, which may contain anything: state, parent, group, session.
            state, _, _, number = stat.read_text().rpartition(")")[2].split()[:4]
            if int(number) == session and state not in "ZX":
                found.append(int(stat.parent.name))
    return found
