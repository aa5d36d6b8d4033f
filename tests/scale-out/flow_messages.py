"""GoFlow2's messages, read by protobuf's own code made from GoFlow2's own flow.proto; captures to send."""

import importlib
import socket
import struct
import subprocess
import sys
import time

ETHERNET, LINUX_COOKED, RAW = 1, 113, 101


def message_class(parts, folder):
    """Class FlowMessage, made by protoc."""
    subprocess.run(["protoc", f"--proto_path={parts.flow_proto.parent}", f"--python_out={folder}", "flow.proto"],
                   check=True, timeout=60)
    sys.path.insert(0, str(folder))
    return importlib.import_module("flow_pb2").FlowMessage


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def messages(body, message):
    """The messages of one Kafka message, each behind its length."""
    found, at = [], 0
    while at < len(body):
        length, at = varint(body, at)
        assert at + length <= len(body), "the length does not fit the message"
        found.append(message.FromString(body[at:at + length]))
        at += length
    return found


def udp_payloads(capture):
    """The UDP payloads of a pcap file over IPv4, in order."""
    data = capture.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack(order + "I", data[20:24])[0]
    skip = {ETHERNET: 14, LINUX_COOKED: 16, RAW: 0}[link]
    at = 24
    while at < len(data):
        length = struct.unpack(order + "I", data[at + 8:at + 12])[0]
        packet = data[at + 16 + skip:at + 16 + length]
        at += 16 + length
        if packet and packet[0] >> 4 == 4 and packet[9] == 17:
            yield packet[(packet[0] & 15) * 4 + 8:struct.unpack("!H", packet[2:4])[0]]


def send(payloads, port, source="127.0.0.1"):
    """Not faster than any receiver can follow; the number of datagrams."""
    count = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((source, 0))
        for payload in payloads:
            one.sendto(payload, ("127.0.0.1", port))
            count += 1
            time.sleep(0.002)
    return count
