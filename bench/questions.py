"""The questions of the reading half, asked of Metronome and of DuckDB over the same events in one run; one table.

DuckDB holds the events as a table with what Metronome works out while it takes them (visits, first events, what a view came from),
so that both answer from what is stored. It answers in its own process: no requests, no JSON. Its fastest way of several counts.

usage: questions.py URL EVENTS DATABASE HOT ORDINARY FROM TO FIGURES [WORD...]
  URL of a server that has taken and sealed EVENTS (NDJSON); FROM and TO are its first and last day; the
  figures go to the file FIGURES; with words only questions that one of them occurs in.
"""

import http.client
import itertools
import json
import pathlib
import statistics
import sys
import threading
import time
import urllib.parse

import duckdb

RUNS = 9
PROBED_SECONDS = 5
# Numbers questions that nobody asked before.
NEWS = itertools.count()

LOAD = """
CREATE TABLE raw AS SELECT *, make_timestamp("@timestamp" * 1000) AS moment, ("@timestamp" // 86400000)::INTEGER AS day,
  CASE WHEN user_agent LIKE '%Firefox%' THEN 'Firefox' WHEN user_agent LIKE '%iPhone%' THEN 'Mobile Safari' ELSE 'Chrome' END AS browser,
  regexp_extract(referer, '^https?://(?:www\\.)?([^/]+)', 1) AS source_of, "@timestamp" AS ms
FROM read_json(?, format = 'newline_delimited', sample_size = 100000);
CREATE TABLE marked AS SELECT *, CASE WHEN ms - lag(ms) OVER w <= 1800000 THEN 0 ELSE 1 END AS visit_start,
  CASE WHEN row_number() OVER w = 1 THEN 1 ELSE 0 END AS visitor_start FROM raw
WINDOW w AS (PARTITION BY visitor, day ORDER BY ms, event_id);
DROP TABLE raw;
CREATE TABLE counted AS SELECT *, hash(visitor, day, sum(visit_start) OVER (PARTITION BY visitor, day ORDER BY ms, event_id)) AS visit FROM marked;
DROP TABLE marked;
CREATE TABLE events AS SELECT moment, ms, day, site, action, id, event_id, path, visitor, browser, format, bytes, lcp_ms, cls, error_type, message,
  language, screen, plan, ab, score, referer, visit, visit_start, visitor_start,
  min(ms) OVER v AS visit_at,
  first_value(source_of) OVER v AS source,
  CASE WHEN action = 'view' THEN lag(path) OVER (PARTITION BY visit, action ORDER BY ms, event_id) END AS previous
FROM counted WINDOW v AS (PARTITION BY visit ORDER BY ms, event_id) ORDER BY ms;
DROP TABLE counted;
CHECKPOINT;
"""
WITHIN = "moment >= $from AND moment < $to"


# Visitors and visits: of all events sums of first events; of an item's, different ones, exactly or about.
SUMS = ("sum(visitor_start)", "sum(visit_start)")
EXACT = ("count(DISTINCT (visitor, day))", "count(DISTINCT visit)")
ABOUT = ("approx_count_distinct((visitor, day))", "approx_count_distinct(visit)")


def overview(only, of_all, of_some):
    """Four answers: days, pages, sources, browsers."""

    def top(key, counts):
        return f"SELECT {key}, {counts} FROM events WHERE {only} AND {WITHIN} GROUP BY 1 ORDER BY 2 DESC LIMIT 10"

    views = "count(*) FILTER (action = 'view')"
    return [
        f"SELECT day, {', '.join(of_all)}, {views} FROM events WHERE {only} AND {WITHIN} GROUP BY 1 ORDER BY 1",
        top("path", f"{of_some[0]}, {views}"),
        top("source", ", ".join(of_all)),
        top("browser", ", ".join(of_all)),
    ]


FUNNEL = f"""
WITH ours AS (SELECT visitor, day, ms, action FROM events WHERE action IN ('view', 'download', 'click') AND {WITHIN}),
one AS (SELECT visitor, day, min(ms) AS ms FROM ours WHERE action = 'view' GROUP BY ALL),
two AS (SELECT visitor, day, min(ours.ms) AS ms FROM one JOIN ours USING (visitor, day) WHERE action = 'download' AND ours.ms > one.ms GROUP BY ALL),
three AS (SELECT visitor, day, min(ours.ms) AS ms FROM two JOIN ours USING (visitor, day) WHERE action = 'click' AND ours.ms > two.ms GROUP BY ALL)
SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two), (SELECT count(*) FROM three)
"""
TOGETHER = f"""
WITH baskets AS (SELECT visit, max(visit_at) AS newest FROM events WHERE id = $item AND action IN ('view', 'download') AND {WITHIN} GROUP BY 1 ORDER BY 2 DESC, 1 DESC LIMIT 500),
pairs AS (SELECT id, count(DISTINCT visit) AS together FROM events JOIN baskets USING (visit) WHERE id <> $item AND action IN ('view', 'download') GROUP BY 1 HAVING together >= 3),
support AS (SELECT id, approx_count_distinct(visit) AS support FROM events WHERE id IN (SELECT id FROM pairs) AND action IN ('view', 'download') AND {WITHIN} GROUP BY 1)
SELECT id, together, support, (SELECT approx_count_distinct(visit) FROM events WHERE action IN ('view', 'download') AND {WITHIN}) FROM pairs JOIN support USING (id) ORDER BY together DESC LIMIT 100
"""


def percentiles(function):
    return f"SELECT path, count(lcp_ms), {function} FROM events WHERE lcp_ms IS NOT NULL AND {WITHIN} GROUP BY 1 ORDER BY 2 DESC LIMIT 100"


class Server:
    """One connection to a server; a question is a request and its answer, read whole."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)

    def ask(self, question, is_new=False):
        """Asks; as a new question with a filter that nobody asked with, and that all events pass."""
        method, path, body = question
        if is_new:
            fresh = ["is_not", "country", [f"{next(NEWS)}"]]
            if path == "/query":
                body = body | {"filters": body.get("filters", []) + [fresh]}
            else:
                path += "&where=" + urllib.parse.quote(json.dumps(fresh))
        self.connection.request(method, path, json.dumps(body) if body else None, {"content-type": "application/json"} if body else {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 202):
            sys.exit(f"{method} {path}: {answer.status} {text[:2000].decode()}")


def median(run):
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        run()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def questions(hot, ordinary, first, last):
    """Each: what it is, its goals again and at first (ms), what Metronome is asked, ways to ask DuckDB, each of several statements."""
    days = f"from={first}&to={last}"

    def query(metrics, dimensions, item, order=None):
        body = {"metrics": metrics, "date_range": [first, last], "dimensions": dimensions, "pagination": {"limit": 31 if order is None else 10}}
        if item:
            body["filters"] = [["is", "id", [item]]]
        if order:
            body["order_by"] = [[order, "desc"]]
        return ("POST", "/query", body)

    def ours(item):
        return [
            query(["visitors", "visits", "views"], ["day"], item),
            query(["visitors", "views"], ["path"], item, "visitors"),
            query(["visitors", "visits"], ["source"], item, "visitors"),
            query(["visitors", "visits"], ["browser"], item, "visitors"),
        ]

    funnel = {"steps": [["is", "action", [action]] for action in ("view", "download", "click")]}
    p = [0.5, 0.75, 0.95, 0.99]
    errors = f"SELECT error_type, message, count(*), count(DISTINCT (visitor, day)), min(ms), max(ms) FROM events WHERE action = 'error' AND {WITHIN} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 100"
    search = f"SELECT * FROM events WHERE message ILIKE '%x7 is undefined%' AND {WITHIN} ORDER BY ms DESC LIMIT 100"
    moves = [
        f"SELECT previous, path, count(*) FROM events WHERE action = 'view' AND previous IS NOT NULL AND {WITHIN} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 100",
        f"SELECT path, count(*) FILTER (previous IS NULL), count(*) FROM events WHERE action = 'view' AND {WITHIN} GROUP BY 1 ORDER BY 3 DESC LIMIT 100",
    ]
    return [
        ("site overview, 4 answers", 20, 300, ours(None), [overview("site = 'default'", SUMS, some) for some in (EXACT, ABOUT)], {}),
        ("the busiest item's overview, 4 answers", 20, 300, ours(hot), [overview("id = $item", some, some) for some in (EXACT, ABOUT)], {"item": hot}),
        ("an ordinary item's overview, 4 answers", 20, 300, ours(ordinary), [overview("id = $item", some, some) for some in (EXACT, ABOUT)], {"item": ordinary}),
        ("percentiles by path", None, 150, [("GET", f"/times.json?metric=lcp_ms&by=path&limit=100&{days}", None)],
         [[percentiles(f"approx_quantile(lcp_ms, {p})")], [percentiles(f"quantile_disc(lcp_ms, {p})")]], {}),
        ("funnel of 3 steps", None, 80, [("POST", f"/funnels.json?{days}", funnel)], [[FUNNEL]], {}),
        ("recommendations, the busiest item", None, 250, [("GET", f"/recommendations/{hot}.json?{days}", None)], [[TOGETHER]], {"item": hot}),
        ("recommendations, an ordinary item", None, 50, [("GET", f"/recommendations/{ordinary}.json?{days}", None)], [[TOGETHER]], {"item": ordinary}),
        ("transitions of all visits", None, 800, [("GET", f"/flows.json?limit=100&{days}", None)], [moves], {}),
        ("error groups", None, 20, [("GET", f"/errors.json?limit=100&{days}", None)], [[errors]], {}),
        ("text search", None, 5, [("GET", f"/events.json?q={urllib.parse.quote('x7 is undefined')}&limit=100&{days}", None)], [[search]], {}),
    ]


def beside(url, first, last):
    """The 99th percentile (ms) of single events' acknowledgements: alone, and beside heavy questions asked without a pause."""
    heavy = ("GET", f"/flows.json?limit=100&from={first}&to={last}", None)
    event = {"site": "probe", "action": "view", "path": "/probe"}

    def acknowledged():
        probe, times, until = Server(url), [], time.perf_counter() + PROBED_SECONDS
        while time.perf_counter() < until:
            started = time.perf_counter()
            probe.ask(("POST", "/tick", event))
            times.append((time.perf_counter() - started) * 1000)
            time.sleep(0.005)
        return sorted(times)[int(len(times) * 0.99)]

    alone, stop = acknowledged(), threading.Event()

    def asking():
        server = Server(url)
        while not stop.is_set():
            server.ask(heavy)

    asks = threading.Thread(target=asking)
    asks.start()
    busy = acknowledged()
    stop.set()
    asks.join()
    return {"tick_p99_alone_ms": alone, "tick_p99_beside_ms": busy}


def table(events, rows, probed):
    """The figures as a page shows them; in brackets how many times quicker than DuckDB."""
    lines = [f"| {events:,} events | Metronome, at first | goal | asked again | DuckDB |", "|---|---|---|---|---|"]
    for row in rows:
        times = row["duckdb_ms"] / row["first_ms"]
        shown = [f"{row[name]:.3g} ms" for name in ("first_ms", "again_ms", "duckdb_ms")]
        goal = f"{row['goal_first_ms']} ms" + (f", again {row['goal_again_ms']}" if row["goal_again_ms"] else "")
        lines.append(f"| {row['question']} | {shown[0]} ({times:.2g}) | {goal} | {shown[1]} | {shown[2]} |")
    alone, busy = probed["tick_p99_alone_ms"], probed["tick_p99_beside_ms"]
    lines.append(f"| a single event's acknowledgement, p99, beside transitions asked without a pause | {busy:.3g} ms ({alone / busy:.2g}) | 2 × alone | | alone: {alone:.3g} ms |")
    return "\n".join(lines)


def main():
    url, events, database, hot, ordinary, first, last, figures, *only = sys.argv[1:]
    connection = duckdb.connect(database)
    if not connection.execute("SELECT count(*) FROM information_schema.tables WHERE table_name = 'events'").fetchone()[0]:
        for statement in filter(str.strip, LOAD.split(";")):
            connection.execute(statement, [events] if "read_json" in statement else None)
    held = connection.execute("SELECT count(*) FROM events").fetchone()[0]
    bounds = connection.execute("SELECT $1::DATE::TIMESTAMP, $2::DATE + INTERVAL 1 DAY", [first, last]).fetchone()
    rows = []
    for name, again_ms, first_ms, ours, ways, values in questions(hot, ordinary, first, last):
        if only and not any(word in name for word in only):
            continue
        print(f"== {name}", file=sys.stderr, flush=True)
        server = Server(url)  # one that is idle while DuckDB is asked is closed
        values = values | {"from": bounds[0], "to": bounds[1]}

        def peer(way):
            for statement in way:
                connection.execute(statement, values).fetchall()

        def us(is_new):
            for question in ours:
                server.ask(question, is_new)

        us(is_new=False)
        rows.append(
            {
                "question": name,
                "first_ms": median(lambda: us(is_new=True)),
                "again_ms": median(lambda: us(is_new=False)),
                "duckdb_ms": min(median(lambda way=way: peer(way)) for way in ways),
                "goal_first_ms": first_ms,
                "goal_again_ms": again_ms,
            }
        )
    probed = beside(url, first, last)
    pathlib.Path(figures).write_text(json.dumps({"events": held, "duckdb": duckdb.__version__, "questions": rows} | probed, indent=1))
    print(table(held, rows, probed))


main()
