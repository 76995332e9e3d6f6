# SPDX-License-Identifier: Apache-2.0
"""docs/troubleshooting.md against the sources: every message is on it, and no other."""

import re
from pathlib import Path

from support.messages import Said, all_texts, c_messages, python_messages, shape

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"

# Messages that the page has no line for.
EXCEPTIONS = {
    "it is valid": "is said by no failure",
    "it is invalid": "is said for an error that does not exist",
    "standard input": "is the name of an object",
    "; see … …--help": "ends every message about usage",
    "dropped in all: … messages, … bytes that were none": "is said with --verbose",
    "suspend and shutdown are not inhibited: …": "is said with --verbose",
    "waiting for events of …; Ctrl-C ends this": "is no failure",
}


def _rows(text: str) -> list[tuple[int | None, list[str]]]:
    """The messages of each row of a table, with the exit status of its section."""
    rows: list[tuple[int | None, list[str]]] = []
    status = None
    for line in text.splitlines():
        if line.startswith("## "):
            found = re.match(r"## (\d):", line)
            status = int(found.group(1)) if found else None
        cell = re.match(r"\| (`.*?`) \|", line)
        if cell:
            rows.append((status, re.findall(r"`([^`]+)`", cell.group(1))))
    return rows


def _on_page() -> dict[str, set[int | None]]:
    found: dict[str, set[int | None]] = {}
    for status, messages in _rows(PAGE.read_text()):
        for message in messages:
            found.setdefault(shape(message), set()).add(status)
    return found


def _said() -> list[Said]:
    said = [*c_messages(ROOT), *python_messages(ROOT)]
    assert len({message.shape for message in said}) > 80, "the sources are not read as they were"
    return said


def test_every_message_is_on_the_page() -> None:
    page = _on_page()
    missing = sorted(
        f"{message.where}: {message.shape}"
        for message in _said()
        if message.shape not in page and message.shape not in EXCEPTIONS
    )
    assert not missing, "not in docs/troubleshooting.md:\n" + "\n".join(missing)


def test_every_message_of_the_page_is_said() -> None:
    texts = all_texts(ROOT) | {message.shape for message in _said()}
    gone = sorted(message for message in _on_page() if message not in texts)
    assert not gone, "in docs/troubleshooting.md, and nobody says it:\n" + "\n".join(gone)


def test_messages_are_under_their_exit_status() -> None:
    page = _on_page()
    wrong = sorted(
        f"{message.where}: status {message.status}: {message.shape}"
        for message in _said()
        if message.status is not None
        and message.shape in page
        and message.status not in page[message.shape]
    )
    assert not wrong, "under another status in docs/troubleshooting.md:\n" + "\n".join(wrong)


def test_exceptions_are_still_needed() -> None:
    said = {message.shape for message in _said()}
    assert not [message for message in EXCEPTIONS if message not in said]
