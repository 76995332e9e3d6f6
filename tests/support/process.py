# SPDX-License-Identifier: Apache-2.0
"""Starting programs: tools that end by themselves, and servers that a test ends."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .waiting import HANG_S, wait_for

SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak|Undefined\w*)Sanitizer|runtime error: |SUMMARY: \w+Sanitizer"
)


@dataclass(frozen=True)
class Result:
    """What a tool left behind. `status` is negative for a signal, as in subprocess."""

    args: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    @property
    def told(self) -> dict[str, Any]:
        """With --json: the result, which is the last line."""
        told: dict[str, Any] = json.loads(self.stdout.splitlines()[-1])
        assert told["status"] == self.status, self
        return told

    def __str__(self) -> str:
        return (
            f"$ {' '.join(self.args)}\nstatus {self.status}\n"
            f"--- stdout\n{self.stdout}--- stderr\n{self.stderr}---"
        )


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would change a tool's behaviour."""
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("ESP_HOSTED") and not key.lower().endswith("_proxy")
    }
    env["LC_ALL"] = "C.UTF-8"
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env.update(extra or {})
    return env


class Process:
    """A running program whose output goes to two files."""

    def __init__(
        self,
        args: Sequence[str | Path],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int | None = subprocess.DEVNULL,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.args = tuple(str(arg) for arg in args)
        self._stdout = log.with_name(log.name + ".stdout")
        self._stderr = log.with_name(log.name + ".stderr")
        with open(self._stdout, "ab") as out, open(self._stderr, "ab") as err:
            self.popen = subprocess.Popen(
                self.args,
                stdin=stdin,
                stdout=out,
                stderr=err,
                env=environment(env),
                cwd=cwd,
                pass_fds=pass_fds,
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def output(self) -> str:
        return self._read(self._stdout) + self._read(self._stderr)

    @staticmethod
    def _read(path: Path) -> str:
        return path.read_text(errors="backslashreplace")

    def wait(self, timeout: float = HANG_S) -> Result:
        """Waits for the program's own end; one that does not come fails the test."""
        try:
            status = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"still running after {timeout:g} s: {' '.join(self.args)}\n{self.output()}"
            ) from None
        return Result(self.args, status, self._read(self._stdout), self._read(self._stderr))

    def wait_output(self, text: str) -> None:
        """Waits until the program has printed `text`."""

        def printed() -> bool:
            if text in self.output():
                return True
            assert self.running, f"ended without saying {text!r}:\n{self.output()}"
            return False

        wait_for(printed, f"{text!r} in the output of {self.args[0]}")

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        """Ends the program at once, as a power cut would."""
        if self.running:
            self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def terminate(self) -> Result:
        """Ends a server the polite way. One that must be killed fails the test."""
        if self.running:
            self.popen.send_signal(signal.SIGTERM)
        return self.wait()


def check_sanitizers(text: str) -> None:
    """Fails on a report of AddressSanitizer, LeakSanitizer or UndefinedBehaviorSanitizer."""
    assert not SANITIZER_REPORT.search(text), text
