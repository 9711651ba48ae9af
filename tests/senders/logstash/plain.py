"""Logs an event for each number on its input through python-logstash.

usage: plain.py tcp|udp HOST PORT
"""

import logging
import sys

import logstash

kind, host, port = sys.argv[1:]
handler = {"tcp": logstash.TCPLogstashHandler, "udp": logstash.UDPLogstashHandler}[kind]
log = logging.getLogger("sender")
log.setLevel(logging.INFO)
log.addHandler(handler(host, int(port), version=1))
for line in sys.stdin:
    log.info("event", extra={"n": int(line), "path": "/datasets/trees"})
    print("sent", int(line), flush=True)
