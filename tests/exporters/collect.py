#!/usr/bin/env python3
"""Writes the datagrams that come to 127.0.0.1:PORT into a pcap file (raw IP), until SIGTERM.

usage: collect.py PORT FILE
"""

import signal
import socket
import struct
import sys
import time

from traffic import checksum


def packet(payload, source_port, port):
    udp = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0) + bytes([127, 0, 0, 1] * 2)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + udp


def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    receiver.bind(("127.0.0.1", port))
    receiver.settimeout(0.1)
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    with open(path, "wb") as out:
        out.write(struct.pack("!IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        out.flush()
        while True:
            try:
                payload, (_, source_port) = receiver.recvfrom(65536)
            except TimeoutError:
                if ending:
                    return
                continue
            except socket.timeout:
                if ending:
                    return
                continue
            whole = packet(payload, source_port, port)
            now = time.time()
            out.write(struct.pack("!IIII", int(now), int(now % 1 * 1e6), len(whole), len(whole)) + whole)
            out.flush()


main()
