"""fluent-logger for Python: HOST PORT COUNT. It knows no acknowledgement: `sent N` is told of what went into the socket.

After each hundred it waits for a line: otherwise all would be in the socket before the server is killed."""

import sys

from fluent import sender

host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
logger = sender.FluentSender("app", host=host, port=port, nanosecond_precision=True)
for number in range(count):
    if logger.emit("view", {"action": "view", "path": f"/datasets/{number}", "n": number}):
        print("sent", number, flush=True)
    else:
        logger.clear_last_error()
    if number % 100 == 99:
        sys.stdin.readline()
logger.close()
