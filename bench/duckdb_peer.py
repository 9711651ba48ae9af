"""DuckDB in the race: loads a file of events, asks about two items, prints one JSON object.

usage: duckdb_peer.py EVENTS DATABASE HOT COLD FROM TO
"""

import json
import os
import statistics
import sys
import time

import duckdb

RUNS = 21
QUESTIONS = [
    "SELECT moment::DATE, count(*) FROM events WHERE id = $item AND action = 'view' AND moment >= $from AND moment < $to GROUP BY 1",
    "SELECT format, count(*) FROM events WHERE id = $item AND action = 'download' AND moment >= $from AND moment < $to GROUP BY 1",
    "SELECT referer, count(*) FROM events WHERE id = $item AND referer IS NOT NULL AND moment >= $from AND moment < $to GROUP BY 1",
]


def ask(connection, item, first, last):
    """The median of RUNS times of the three questions, in milliseconds."""
    days = connection.execute("SELECT $1::DATE::TIMESTAMP, $2::DATE + INTERVAL 1 DAY", [first, last]).fetchone()
    values = {"item": item, "from": days[0], "to": days[1]}
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        for question in QUESTIONS:
            connection.execute(question, values).fetchall()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def main():
    events, database, hot, cold, first, last = sys.argv[1:]
    connection = duckdb.connect(database)
    started = time.perf_counter()
    connection.execute(
        'CREATE TABLE events AS SELECT make_timestamp("@timestamp" * 1000) AS moment, * EXCLUDE ("@timestamp") '
        "FROM read_json(?, format = 'newline_delimited', sample_size = 100000)",
        [events],
    )
    connection.execute("CHECKPOINT")
    took = time.perf_counter() - started
    loaded = connection.execute("SELECT count(*) FROM events").fetchone()[0]
    print(
        json.dumps(
            {
                "version": duckdb.__version__,
                "events_per_second": loaded / took,
                "hot_ms": ask(connection, hot, first, last),
                "cold_ms": ask(connection, cold, first, last),
                "bytes": os.path.getsize(database),
            }
        )
    )


main()
