# SPDX-License-Identifier: Apache-2.0
"""What esp-ota --json may say, by docs/json.md: which keys there are, and of what type."""

import json
from typing import Any

from .process import Result

TEXT, NUMBER, BOOL = str, int, bool
MAYBE = type(None)

STATUS = {"status": NUMBER}
AP = {"ssid": TEXT, "bssid": TEXT, "channel": NUMBER, "rssi": NUMBER, "encryption": TEXT}

SLOT = {
    "label": TEXT,
    "bytes": NUMBER,
    "running": BOOL,
    "boots_next": BOOL,
    "update_next": BOOL,
    "state": TEXT,
    "project": (TEXT, MAYBE),
    "version": (TEXT, MAYBE),
    "secure_version": (NUMBER, MAYBE),
    "elf_sha256": (TEXT, MAYBE),
}

IMAGE = {
    "image": TEXT,
    "chip": (TEXT, MAYBE),
    "project": (TEXT, MAYBE),
    "version": (TEXT, MAYBE),
    "image_bytes": NUMBER,
    "file_bytes": NUMBER,
    "digest": BOOL,
    "signature": BOOL,
    "extension": BOOL,
    "sha256": TEXT,
}

# The last line, by command.
RESULTS: dict[str, dict[str, Any]] = {
    "failure": {**STATUS, "error": TEXT, "message": TEXT, "device_code": (NUMBER, MAYBE)},
    "update": {
        **STATUS,
        "answered": BOOL,
        "verified": BOOL,
        "version": (TEXT, MAYBE),
        "confirmed": BOOL,
        "protected": BOOL,
        "trial_missed": BOOL,
        "sent_bytes": NUMBER,
        "kept_bytes": NUMBER,
    },
    "update --dry-run": {**STATUS, "dry_run": BOOL, **IMAGE},
    "verify": {**STATUS, **IMAGE},
    "info": {
        **STATUS,
        "device": TEXT,
        "dialect": TEXT,
        "firmware": (TEXT, MAYBE),
        "version": (TEXT, MAYBE),
        "chip": (TEXT, MAYBE),
        "mac": (TEXT, MAYBE),
        "mode": TEXT,
        "network": (AP, MAYBE),
        "extension": (
            {
                "running_slot": (TEXT, MAYBE),
                "slot_bytes": NUMBER,
                "features": NUMBER,
                "can_roll_back": (BOOL, MAYBE),
                "on_trial": BOOL,
            },
            MAYBE,
        ),
        "slots": ([SLOT], MAYBE),
        "update_at": (NUMBER, MAYBE),
        "trial_seconds_left": (NUMBER, MAYBE),
    },
    "confirm": {**STATUS, "version": (TEXT, MAYBE)},
    "rollback": {**STATUS, "version": (TEXT, MAYBE)},
    "wifi connect": {**STATUS, "ssid": TEXT, "interface": TEXT, "mac": TEXT},
    "wifi disconnect": STATUS,
    "wifi status": {**STATUS, "network": AP},
    "wifi scan": {**STATUS, "networks": [AP]},
    "monitor": STATUS,
}

# The lines before it, by their "event", and by their "stage" where they have one.
SEEN = {"event": TEXT, "time": TEXT}
STAGE = {"event": TEXT, "stage": TEXT}
EVENTS: dict[str, dict[str, Any]] = {
    "stage": STAGE,
    "stage begin": {
        **STAGE,
        "chip": (TEXT, MAYBE),
        "project": (TEXT, MAYBE),
        "version": (TEXT, MAYBE),
        "file_bytes": (NUMBER, MAYBE),
    },
    "progress": {
        **STAGE,
        "done": NUMBER,
        "total": (NUMBER, MAYBE),
        "bytes_per_second": NUMBER,
        "seconds_left": (NUMBER, MAYBE),
    },
    "objection": {"event": TEXT, "error": TEXT, "message": TEXT},
    "init": SEEN,
    "heartbeat": {**SEEN, "number": NUMBER},
    "other": {**SEEN, "number": NUMBER},
    "connected": {
        **SEEN,
        "ssid": (TEXT, MAYBE),
        "bssid": (TEXT, MAYBE),
        "channel": NUMBER,
        "encryption": TEXT,
    },
    "disconnected": {
        **SEEN,
        "ssid": (TEXT, MAYBE),
        "bssid": (TEXT, MAYBE),
        "reason": NUMBER,
        "rssi": NUMBER,
    },
}


def fits(value: object, schema: Any) -> bool:
    if isinstance(schema, tuple):
        return any(fits(value, each) for each in schema)
    if isinstance(schema, list):
        return isinstance(value, list) and all(fits(each, schema[0]) for each in value)
    if isinstance(schema, dict):
        return (
            isinstance(value, dict)
            and value.keys() == schema.keys()
            and all(fits(value[key], schema[key]) for key in schema)
        )
    return type(value) is schema


def check(result: Result, name: str) -> list[dict[str, Any]]:
    """Every line of the output against the schema; the lines before the last one."""
    assert result.stdout.endswith("\n")
    *events, told = [json.loads(line) for line in result.stdout.splitlines()]
    assert fits(told, RESULTS[name]), told
    assert told["status"] == result.status
    for event in events:
        kind = f"{event['event']} {event.get('stage')}"
        schema = EVENTS.get(kind, EVENTS.get(event["event"]))
        assert fits(event, schema), event
    return events
