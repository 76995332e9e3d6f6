# SPDX-License-Identifier: Apache-2.0
"""Packets there and back between two network namespaces, byte for byte; run as a program.

udp_echo.py serve ADDRESS PORT          sends back whatever comes, until it is ended
udp_echo.py ask ADDRESS PORT COUNT SIZE sends and compares; unfragmented, each until it is back
"""

import os
import socket
import sys

# linux/in.h
IP_MTU_DISCOVER, IP_PMTUDISC_DO = 10, 2

TRIES = 20  # of a second each: the first packets may fall to address resolution


def serve(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, port))
        print("ready", flush=True)
        while True:
            sock.sendto(*sock.recvfrom(65535))


def exchange(sock: socket.socket, packet: bytes) -> bool:
    for _ in range(TRIES):
        sock.send(packet)
        try:
            while sock.recv(65535) != packet:
                pass  # of an earlier try
            return True
        except (TimeoutError, ConnectionRefusedError):
            continue
    return False


def ask(address: str, port: int, count: int, size: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        sock.settimeout(1)
        sock.connect((address, port))
        for number in range(count):
            packet = number.to_bytes(4, "big") + os.urandom(size - 4)
            if not exchange(sock, packet):
                sys.exit(f"packet {number} of {size} bytes did not come back")


if __name__ == "__main__":
    what, host, *numbers = sys.argv[1:]
    {"serve": serve, "ask": ask}[what](host, *map(int, numbers))
