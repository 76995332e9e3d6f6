#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the seeds of the corpora: corpus/TARGET/seed-*, from the recorded exchanges in tests/data
and from tiny images. To be run again when the input of a target changes; each target's source says
what that is."""

import hashlib
import json
import struct
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
TRANSCRIPTS = sorted((HERE / "../data/transcripts").glob("*.jsonl"))

# enum ctrl_command by the number of the request
CLASSIC = [0, 2, 4, 6, 8, 14, 18, 22, 28, 30, 32]
CTRL = [101, 103, 104, 106, 107, 108, 105, 102, 116, 117, 118, 123, 121, 122]
LISTEN = len(CTRL)
DRAIN = LISTEN + 1

FRAGMENT = 1500
MOST_BYTES = 9000  # of one seed: an update's first chunks say as much as all of them
ALREADY_THERE = 0x8000

# The commands of host_device.c, in its order
COMMANDS = ["get_mode", "set_mode", "get_mac", "set_mac", "connect", "disconnect", "get_ap"]
COMMANDS += ["get_version", "heartbeat", "feature", "listen", "scan", "update"]

DEVICE_FRAME, DEVICE_MESSAGE, DEVICE_REQUEST, DEVICE_SETTLE, DEVICE_TIME = range(5)
DEVICE_STATION, DEVICE_INIT = 5, 6


def save(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(data[:MOST_BYTES])


def exchange(path):
    """What went over the wire: ("h2d" or "d2h", message)."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["dir"], bytes.fromhex(line["hex"])) for line in lines if "hex" in line]


def body(message):
    """The protobuf part."""
    return message[6 + message[1] :]


def message_id(message):
    """The number of a message: field 1 in classic, field 2 in ctrl."""
    key = 0x08 if message[3:10] == b"control" else 0x10
    data = body(message)
    at = 2 if key == 0x10 and data[0] == 0x08 else 0  # ctrl may begin with the type
    assert data[at] == key
    number, shift = 0, 0
    while True:
        at += 1
        number |= (data[at] & 0x7F) << shift
        shift += 7
        if data[at] < 0x80:
            return number


def short(data):
    return struct.pack("<H", len(data)) + data


def frame(payload, flags=0, sequence=0, interface=2, offset=12):
    header = struct.pack("<BBHHHHBB", interface, flags, len(payload), offset, 0, sequence, 0, 0)
    return header + bytes(offset - 12) + payload


def fragments(message, step=0):
    """(flags, sequence, payload) of the frames of a serial message."""
    pieces = [message[at : at + FRAGMENT] for at in range(0, len(message), FRAGMENT)]
    return [(int(i + 1 < len(pieces)), 7 + i * step, piece) for i, piece in enumerate(pieces)]


def checked(bytes_of_frame):
    """A record of the target `frame` whose checksum it sets."""
    return struct.pack("<H", len(bytes_of_frame) | 0x8000) + bytes_of_frame


def image(chip, addresses, digest, lengths=None):
    """An application image that its chip accepts: descriptor in front, checksum, digest."""
    descriptor = bytearray(256)
    struct.pack_into("<I", descriptor, 0, 0xABCD5432)
    descriptor[16:28] = b"FG-1.0.0.0.1"
    descriptor[48:63] = b"network_adapter"
    descriptor[112:118] = b"v5.5.0"
    descriptor[180] = 16
    out = bytearray(24)
    struct.pack_into("<BBBBI", out, 0, 0xE9, len(addresses), 2, 0x20, 0x40080000)
    struct.pack_into("<H", out, 12, chip)
    out[23] = int(digest)
    checksum = 0xEF
    for i, address in enumerate(addresses):
        length = lengths[i] if lengths else (256 if i == 0 else 16 * i)
        data = (bytes(descriptor) if i == 0 else b"") + bytes(range(256)) * 2
        data = data[:length]
        out += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    out += bytes(15 - len(out) % 16) + bytes([checksum])
    if digest:
        out += hashlib.sha256(out).digest()
    return bytes(out)


def images():
    """Name and bytes: every kind of segment and end there is."""
    ram, mapped = 0x3FFB0000, 0x3F400020
    return {
        "esp32": image(0, [mapped, 0x40080000], True),
        "esp32-no-digest": image(0, [mapped, ram], False),
        "esp32-empty-segment": image(0, [mapped, ram, ram, 0], True, [260, 0, 20, 0]),
        "esp32-many-segments": image(0, [mapped] + [ram] * 15, True),
        "esp32-one-segment": image(0, [mapped], True),
        "esp32s2": image(2, [0x3F000020, ram], True),
        "esp32s3": image(9, [0x3C000020, ram], True),
        "esp32c3": image(5, [0x3C000020, 0x3FC80000], True),
        "esp32c6": image(13, [0x42000020, 0x40800000], True),
    }


def seed_images():
    for name, data in images().items():
        save("fw_image", name, b"\x01" + bytes([1, 7, 0, 8, 63, 16, 0, 5]) + data)
        zeros = data[:-32] + bytes(32) if data[23] else data
        save("fw_image", name + "-zeros", b"\x02" + bytes([0xFF] * 8) + zeros + b"behind")
    save("fw_image", "cut", b"\x01" + bytes(8) + images()["esp32"][:300])


def request_record(data):
    return bytes([DEVICE_REQUEST]) + short(data)


def seed_whole_updates():
    """An update that reaches its end, in each dialect."""
    data = images()["esp32-one-segment"]
    write = b"\x0a" + varint(len(data)) + data
    write = varint(len(write)) + write
    classic = (b"\x08\x1c", b"\x08\x1e\xc2\x02" + write, b"\x08\x20")
    ctrl = (b"\x10\x74\xa2\x07\x00", b"\x10\x75\xaa\x07" + write, b"\x10\x76\xb2\x07\x00")
    save("device_classic", "update", b"".join(request_record(r) for r in classic))
    save("device_ctrl", "update", b"".join(request_record(r) for r in ctrl))


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def seed_device(name, messages):
    target = "device_classic" if name.startswith("classic") else "device_ctrl"
    requests = [body(m) for way, m in messages if way == "h2d"]
    if len(requests) > 12:  # an update: its end, too
        requests = [*requests[:6], requests[-1]]
    records = b"".join(request_record(r) for r in requests)
    settled = b"".join(request_record(r) + bytes([DEVICE_SETTLE, 0, 0]) for r in requests)
    radio = bytes([DEVICE_STATION]) + short(bytes(60)) + bytes([DEVICE_INIT, 0, 0])
    radio += bytes([DEVICE_FRAME]) + short(frame(bytes(64), interface=0))
    save(target, name, records)
    save(target, name + "-settled", settled + radio + bytes([DEVICE_TIME, 1, 0, 30]))


def seed_large_requests():
    """What costs memory to decode, and texts that are longer than any field for them."""
    strange = bytes.fromhex("a03e07") * 1000
    for target, mode, connect in (
        ("device_classic", b"\x08\x02", b"\x08\x08\x92\x01"),
        ("device_ctrl", b"\x10\x67", b"\x10\x6b\xda\x06"),
    ):
        save(target, "strange-fields", request_record(mode + strange))
        for length in (32, 33, 64, 65, 400):
            network = field(1, b"s" * length) + field(2, b"p" * length) + field(3, b"b" * length)
            data = connect + varint(len(network)) + network
            save(target, f"connect-{length}", request_record(data) + bytes([DEVICE_SETTLE, 0, 0]))


def seed_heartbeats():
    """One every 10 s, while a minute passes."""
    start = request_record(bytes.fromhex("1079ca07040801100a"))
    save("device_ctrl", "heartbeats", start + bytes([DEVICE_TIME, 1, 0, 60]))


def seed_device_frames(name, messages):
    target = "device_classic" if name.startswith("classic") else "device_ctrl"
    whole = next(m for way, m in messages if way == "h2d")
    longest = max((m for way, m in messages if way == "h2d"), key=len)
    save(target, name + "-message", bytes([DEVICE_MESSAGE]) + short(whole))
    frames = [frame(p, flags, sequence) for flags, sequence, p in fragments(longest)]
    save(
        target,
        name + "-frames",
        b"".join(bytes([DEVICE_FRAME]) + short(f) for f in frames),
    )


def seed_reader(name, messages):
    """Each request as a call, and what came after it as its segments."""
    classic = name.startswith("classic")
    numbers = CLASSIC if classic else CTRL
    out = bytearray([0 if classic else 1, 0])
    began = False
    for way, message in messages:
        if way == "h2d":
            number = message_id(message)
            if number not in numbers:
                return
            out.append(numbers.index(number))
            began = True
        elif began:
            out += short(message)
        else:
            out += bytes([LISTEN]) + short(message)
    save("host_reader", name, bytes(out))


def seed_faulty_reader(name, messages):
    """The first reply behind stray bytes, halves and what was there before."""
    numbers = CLASSIC if name.startswith("classic") else CTRL
    request = next(m for way, m in messages if way == "h2d")
    reply = next(m for way, m in messages if way == "d2h" and b"Evnt" not in m)
    if message_id(request) not in numbers:
        return
    head = bytes([0 if name.startswith("classic") else 1, 5])
    stale = struct.pack("<H", len(reply) | ALREADY_THERE) + reply
    halves = short(b"\x01\x00stray") + short(reply[: len(reply) // 2]) + short(b"\x01" + reply)
    call = bytes([numbers.index(message_id(request))])
    save("host_reader", name + "-faults", head + bytes([DRAIN]) + stale + call + stale + halves)


def seed_messages(name, messages):
    """One of each length's size, and one of each reply and event."""
    for way, message in messages:
        endpoint = message[3 : 3 + message[1]].decode()
        save("serial_tlv", f"{endpoint}-{len(message).bit_length()}", message)
        if way == "d2h":
            dialect = bytes([0 if endpoint == "control" else 1])
            save("host_decode", f"{endpoint}-{message_id(message)}", dialect + body(message))


def seed_hostedd(name, messages):
    tools = [m for way, m in messages if way == "h2d"]
    records = b"".join(short(m) for m in tools[:5])
    save("hostedd_cutter", name, records)
    noisy = short(b"noise\x01\x08") + struct.pack("<H", len(tools[0]) | 0x8000) + tools[0]
    save("hostedd_cutter", name + "-noise", noisy)
    out = bytearray()
    for way, message in messages:
        if way == "d2h":
            for flags, _, piece in fragments(message, 1):
                out += bytes([2, flags]) + short(piece)
    save("hostedd_frames", name, bytes(out))


def seed_other_frames():
    event = bytes.fromhex("000d00016801010a0201000301000408") + b"FG-\x01\0\0\0\0"
    event = bytes([0, len(event) - 2]) + event[2:]
    save("hostedd_frames", "init", b"\x04\x00" + short(event))
    mcu = b"\x01\x06\x00RPCEvt\x02\x02\x00\x08\x01"
    save("hostedd_frames", "mcu", b"\x03\x00" + short(mcu))
    get_ap = ctrl_reply(106, 1, field(1, b"MyWifi")) + b"\x02\x00" + ctrl_reply(106, 1, field(6, 1))
    save("hostedd_frames", "ctrl-get-ap", b"\x02\x00" + get_ap)


def seed_frames(name, messages):
    longest = max((m for _, m in messages), key=len)
    frames = [frame(p, flags, sequence) for flags, sequence, p in fragments(longest)]
    save("frame", name, b"".join(checked(f) for f in frames))
    save("frame", name + "-padded", checked(frame(messages[0][1], offset=24) + bytes(20)))


def field(number, value):
    """A field of protobuf: bytes, or a number."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def tlv(endpoint, data):
    return b"\x01" + short(endpoint) + b"\x02" + short(data)


def identity(version):
    return field(
        100,
        field(1, 0)
        + field(2, 0x1C0000)
        + field(3, b"ota_0" if version == b"old" else b"ota_1")
        + field(4, b"network_adapter")
        + field(5, version)
        + field(6, 1),
    )


def classic_reply(request, payload):
    return short(tlv(b"control", field(1, request + 1) + field(request + 11, payload)))


def ctrl_reply(request, uid, payload=b""):
    data = field(1, 2) + field(2, request + 100) + field(3, uid) + field(request + 100, payload)
    return short(tlv(b"ctrlResp", data))


def ctrl_event(number, payload=b""):
    return short(tlv(b"ctrlEvnt", field(1, 3) + field(2, number) + field(number, payload)))


def seed_identities():
    """Our firmware's answer to the mode request, to the decoder and to the reader."""
    mode = field(1, 1) + identity(b"old")
    classic, ctrl = classic_reply(2, mode + field(2, 0)), ctrl_reply(103, 1, mode)
    save("host_reader", "classic-identity", bytes([0, 0, CLASSIC.index(2)]) + classic)
    save("host_reader", "ctrl-identity", bytes([1, 0, CTRL.index(103)]) + ctrl)
    save("host_decode", "control-identity", b"\x00" + body(classic[2:]))
    save("host_decode", "ctrlResp-identity", b"\x01" + body(ctrl[2:]))


def device_seed(command, segments, switches=0):
    return bytes([switches, 0, COMMANDS.index(command)]) + segments


def seed_classic_device():
    """Each command, and an update of our firmware and of stock's."""
    done = field(1, 0)
    mode = field(1, 1) + field(2, 0)
    commands = (
        ("set_mode", classic_reply(4, done)),
        ("get_mac", classic_reply(0, field(1, b"24:0a:c4:11:22:33") + field(2, 0))),
        ("set_mac", classic_reply(22, done)),
        ("connect", classic_reply(8, done)),
        ("disconnect", classic_reply(14, done)),
        (
            "get_ap",
            classic_reply(6, field(1, b"MyWifi") + field(2, b"11:22:33:44:55:66") + field(6, 0)),
        ),
        ("get_version", b""),
        ("scan", classic_reply(18, field(2, field(1, b"MyWifi") + field(2, 6)) + field(3, 0))),
    )
    for command, reply in commands:
        seed = device_seed(command, classic_reply(2, mode) + reply)
        save("host_device", f"classic-{command}", seed)
    update = classic_reply(28, done) + classic_reply(30, done) * 2 + classic_reply(32, done)
    for name, old, new in (("", b"", b""), ("-ours", identity(b"old"), identity(b"FG-1.0.0.0.1"))):
        again = bytes(2) * 12 + classic_reply(2, mode + new)
        seed = device_seed("update", classic_reply(2, mode + old) + update + again)
        save("host_device", f"classic-update{name}", seed)


def seed_ctrl_device():
    """Found out by silence or by an event; each command, and how connecting ends; an update of
    stock firmware, with the kernel's driver, too."""
    mode = field(1, 1)
    silence = bytes(2) * 2 + ctrl_reply(103, 3, mode)
    heard = ctrl_event(302, field(1, 1)) + ctrl_reply(103, 2, mode)
    name, bssid = field(2, b"MyWifi"), field(4, b"11:22:33:44:55:66")
    left = ctrl_event(303, name + bssid + field(5, 8))
    refused = ctrl_event(303, name + bssid + field(5, 201)) * 3
    connected = ctrl_event(305, name + bssid + field(5, 6) + field(6, 3))
    commands = {
        "set_mode": [ctrl_reply(104, 4)],
        "get_mac": [ctrl_reply(101, 4, field(1, b"24:0a:c4:11:22:33"))],
        "connect": [ctrl_reply(107, 4) + left + connected, ctrl_reply(107, 4) + refused],
        "disconnect": [ctrl_reply(108, 4)],
        "get_ap": [ctrl_reply(106, 4, field(1, b"MyWifi"))],
        "get_version": [ctrl_reply(123, 4, field(2, b"FG") + field(3, 1))],
        "heartbeat": [ctrl_reply(121, 4)],
        "feature": [ctrl_reply(122, 4)],
        "scan": [ctrl_reply(105, 4, field(1, 1) + field(2, field(1, b"MyWifi")))],
        "listen": [ctrl_event(301)],
    }
    for command, ways in commands.items():
        for i, reply in enumerate(ways):
            save("host_device", f"ctrl-{command}-{i}", device_seed(command, silence + reply))
    save("host_device", "ctrl-heard", device_seed("get_mode", heard))

    old = field(2, b"FG") + field(3, 1)
    new = old + field(7, 1)
    update = b"".join(ctrl_reply(n, 5 + i) for i, n in enumerate((116, 117, 117, 118)))
    for head in (0, 4, 12):
        for version in (old, new):
            seed = silence + ctrl_reply(123, 4, old) + update
            seed += ctrl_event(301) + ctrl_reply(103, 10, mode) + ctrl_reply(123, 11, version)
            which = "same" if version == old else "new"
            save("host_device", f"ctrl-update-{head}-{which}", device_seed("update", seed, head))


SUM = bytes(range(32)).hex().encode()
OTHER_SUM = bytes(range(1, 33)).hex().encode()


def seed_sums():
    """Lists of digests in all forms: found, missing, differing."""
    forms = {
        "gnu": b"%s  b.bin\n%s  a.bin\n" % (OTHER_SUM, SUM),
        "binary": b"%s *./a.bin\r\n" % SUM.upper(),
        "bsd": b"SHA256 (build/a.bin) = %s\n" % SUM,
        "bare": SUM + b"\n",
        "differ": b"%s  a.bin\nSHA256 (a.bin) = %s\n" % (SUM, OTHER_SUM),
        "strange": b"\\%s  a\\nb\n%s a.bin\nSHA256 () = \n" % (SUM, SUM[1:]),
    }
    for name, text in forms.items():
        for only_one in (0, 1):
            data = bytes([0, only_one]) + short(b"a.bin") + text
            save("host_texts", f"sums-{name}-{only_one}", data)


def seed_versions():
    triples = {
        "numbers": b"v1.2\n1.2.0.1\n1.10",
        "pre-releases": b"1.0-alpha.1\n1.0-beta.11\n1.0rc1",
        "words": b"1.0-rc2\n1.0-rc10\n1.0-rc.1+build",
        "commits": b"1.0-2-gabc1234\n1.0-14-gabc1234-dirty\n1.0-dirty",
        "releases": b"FG-1.0.0.0.0\nFG-1.0.0.0.10\nFG-0.9.0.0.0",
        "none": b"deadbeef\n4207abc\n1.0_x",
    }
    for name, text in triples.items():
        save("host_texts", f"versions-{name}", b"\x01" + text)


def signed_images():
    """Sectors that espsecure signed, with their keys. Only where there are none yet: a signature
    is another one each time."""
    if list((HERE / "corpus/host_signature").glob("signed-*")):
        return
    sys.path.insert(0, str(HERE.parent))
    from support.signing import make_key, sign

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        schemes = ("rsa3072", "ecdsa256", "ecdsa384")
        keys = {scheme: make_key(folder, scheme, scheme) for scheme in schemes}
        data = images()["esp32"]
        for signers in (schemes[:1], schemes[1:2], schemes, ()):
            signed = sign(folder / "image", data, *(keys[scheme] for scheme in signers))
            before, sector = signed[:-4096], signed[-4096:]
            if not signers:
                before, sector = signed, b"\xff" * 4096
            for scheme in schemes:
                pem = keys[scheme].public.read_bytes()
                seed = b"\x00" + short(pem) + hashlib.sha256(before).digest() + sector
                path = (
                    HERE
                    / "corpus/host_signature"
                    / f"signed-{'-'.join(signers) or 'not'}-for-{scheme}"
                )
                if signers in (schemes, (scheme,)) or scheme == "ecdsa256":
                    path.parent.mkdir(exist_ok=True)
                    path.write_bytes(seed)


def seed_http_heads():
    """A server's answer, and its rest of an image of 20 bytes from the tenth on."""
    date = "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"
    whole = "HTTP/1.1 200 OK\r\n" + date + "Content-Type: text/html; charset=utf-8\r\n"
    rest = "HTTP/1.1 206 Part\r\n" + date + "Content-Range: bytes 10-19/20\r\n"
    validators = {
        "tag": 'ETag: "v"\r\n',
        "weak": 'ETag: W/"v"\r\n',
        "date": "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
        "encoded": 'ETag: "v"\r\nContent-Encoding: gzip\r\n',
    }
    for name, validator in validators.items():
        for kind, head in (("whole", whole), ("rest", rest)):
            lines = (head + validator + "\r\n").encode()
            save("http_head", f"{kind}-{name}", struct.pack("<HH", 10, 20) + lines)


def main():
    for old in (HERE / "corpus").glob("*/seed-*"):
        old.unlink()
    for path in TRANSCRIPTS:
        messages = exchange(path)
        for seed in (seed_device, seed_reader, seed_faulty_reader, seed_messages):
            seed(path.stem, messages)
        if path.stem in ("classic-ota-40001", "classic-scan", "ctrl-ota-event-midway", "ctrl-scan"):
            for seed in (seed_device_frames, seed_hostedd, seed_frames):
                seed(path.stem, messages)
        if "station" in path.stem:
            seed_hostedd(path.stem, messages)
    seed_images()
    seed_other_frames()
    seed_large_requests()
    seed_heartbeats()
    seed_classic_device()
    seed_ctrl_device()
    seed_whole_updates()
    seed_identities()
    seed_sums()
    seed_versions()
    signed_images()
    seed_http_heads()


if __name__ == "__main__":
    main()
