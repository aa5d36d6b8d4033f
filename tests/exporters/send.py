#!/usr/bin/env python3
"""Sends the known traffic on an interface, frames that are no IP, or one flow for so many seconds.

usage: send.py INTERFACE [--no-ip | --stream SECONDS]
"""

import sys
import time

import traffic

# 2.28 Mbit/s of layer 3: a thousandth of an attack.
ATTACK = traffic.Flow("103.118.76.198", "10.20.30.1", traffic.UDP, 53, 443, 0, 1400, 0)
PER_SECOND = 200

if "--no-ip" in sys.argv:
    traffic.send_no_ip(sys.argv[1], 3000)
elif "--stream" in sys.argv:
    print(traffic.stream(sys.argv[1], ATTACK, PER_SECOND, float(sys.argv[3])))
else:
    print(traffic.send(sys.argv[1], traffic.flows(), lambda: time.sleep(0.02)))
