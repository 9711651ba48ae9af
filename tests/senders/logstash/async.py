"""Logs an event for each number on its input through python-logstash-async, and says in the end how many it still keeps.

usage: async.py TRANSPORT HOST PORT DATABASE
"""

import logging
import sqlite3
import sys

from logstash_async.constants import constants
from logstash_async.handler import AsynchronousLogstashHandler

constants.QUEUE_CHECK_INTERVAL = 0.05
constants.QUEUED_EVENTS_FLUSH_INTERVAL = 0.1
constants.QUEUED_EVENTS_BATCH_SIZE = 20
constants.QUEUED_EVENTS_BEATS_BATCH_SIZE = 7

transport, host, port, database = sys.argv[1:]
handler = AsynchronousLogstashHandler(
    host, int(port), database_path=database, transport=f"logstash_async.transport.{transport}"
)
log = logging.getLogger("sender")
log.setLevel(logging.INFO)
log.addHandler(handler)
for line in sys.stdin:
    log.info("event", extra={"n": int(line), "event_id": f"e-{int(line)}", "url": "/datasets/trees"})
    print("sent", int(line), flush=True)
logging.shutdown()
with sqlite3.connect(database) as kept:
    print("left", kept.execute("SELECT count(*) FROM event").fetchone()[0], flush=True)
