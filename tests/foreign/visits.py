"""Visits and increments, derived by SQL from the events alone (metrics.md, Increments; events.md, Visitor and visit).

Tables afterwards:
- `e`: one row an event, with its visit and increments.
- `kv`: one row a key's value, `text` its text form, `num` its number form; the increments and the visit's keys are there too.
"""

import duckdb

import metrics
import normal

MINUTES_30 = 1_800_000
ORIGIN = ("source", "channel", "utm_source", "utm_medium", "utm_campaign")
INCREMENTS = ("visitor_start", "visit_start", "engaged", "visit_ms", "dwell_ms", "counted", "unique")

# `kind`: S starts and extends, E extends, J joins what is open. `ord`: the order of events.md.
RAW = """
CREATE TABLE raw AS SELECT n, site, ts, day, event_id, person, action, path, id, status,
    coalesce(path, id) AS page,
    CASE WHEN NOT interactive OR action IN ('request', 'log', 'timing', 'error') THEN 'J' WHEN action = 'engage' THEN 'E' ELSE 'S' END AS kind,
    row_number() OVER (ORDER BY ts, event_id IS NULL, event_id, n) AS ord
FROM posted
"""

# Starting and extending events that follow one another within 30 minutes are one island. Its visit begins at its first starting
# event: an extending event before that finds nothing open. What joins belongs to the island before it, while that is open.
VISITS = f"""
CREATE TABLE islands AS SELECT *, sum(opens) OVER w AS island FROM (
    SELECT *, CASE WHEN ts - lag(ts) OVER w <= {MINUTES_30} THEN 0 ELSE 1 END AS opens
    FROM raw WHERE person IS NOT NULL AND kind <> 'J' WINDOW w AS (PARTITION BY site, day, person ORDER BY ord))
WINDOW w AS (PARTITION BY site, day, person ORDER BY ord);

CREATE TABLE starts AS SELECT site, day, person, island, min(ord) AS first_ord FROM islands WHERE kind = 'S' GROUP BY ALL;

CREATE TABLE members AS
SELECT n, first_ord AS visit FROM islands JOIN starts USING (site, day, person, island) WHERE ord >= first_ord
UNION ALL
SELECT j.n, s.first_ord FROM (SELECT * FROM raw WHERE kind = 'J' AND person IS NOT NULL) j
    ASOF JOIN islands i ON i.site = j.site AND i.day = j.day AND i.person = j.person AND i.ord <= j.ord
    JOIN starts s ON s.site = i.site AND s.day = i.day AND s.person = i.person AND s.island = i.island
WHERE i.ord >= s.first_ord AND j.ts - i.ts <= {MINUTES_30};

CREATE TABLE v AS SELECT raw.*, visit FROM raw LEFT JOIN members USING (n);
"""

# COUNTER: clicks of one visitor on one item with one action, each against its neighbour; the first of a chain counts.
COUNTED = """
CREATE TABLE clicks AS SELECT n, visit, site, id, action, ord FROM (
    SELECT *, lag(ts) OVER (PARTITION BY site, day, person, id, action ORDER BY ord) AS neighbour
    FROM v WHERE action IN ('view', 'download') AND id IS NOT NULL AND (status IS NULL OR status IN (200, 304)))
WHERE person IS NULL OR neighbour IS NULL OR ts - neighbour > 30000;

CREATE TABLE uniques AS SELECT n FROM clicks
QUALIFY visit IS NULL OR row_number() OVER (PARTITION BY visit, site, id, action ORDER BY ord) = 1;
"""

EVENTS = """
CREATE TABLE e AS SELECT v.*, f.ts AS visit_at,
    CASE WHEN v.person IS NOT NULL AND row_number() OVER (PARTITION BY v.site, v.day, v.person ORDER BY v.ord) = 1 THEN 1 END AS visitor_start,
    CASE WHEN v.ord = v.visit THEN 1 END AS visit_start,
    engaged.engaged, ms.visit_ms, pages.previous, pages.dwell_ms,
    CASE WHEN clicks.n IS NOT NULL THEN 1 END AS counted,
    CASE WHEN uniques.n IS NOT NULL THEN 1 END AS "unique"
FROM v
LEFT JOIN (SELECT ord, ts FROM v) f ON f.ord = v.visit
LEFT JOIN (SELECT n, ts - lag(ts) OVER (PARTITION BY visit ORDER BY ord) AS visit_ms FROM v WHERE visit IS NOT NULL AND kind <> 'J') ms USING (n)
LEFT JOIN (SELECT n, 1 AS engaged FROM (
        SELECT n, visit, ord, action <> 'view' OR row_number() OVER (PARTITION BY visit, action ORDER BY ord) = 2 AS engages
        FROM v WHERE visit IS NOT NULL AND kind = 'S')
    WHERE engages QUALIFY row_number() OVER (PARTITION BY visit ORDER BY ord) = 1) engaged USING (n)
LEFT JOIN (SELECT n, lag(page) OVER w AS previous, ts - lag(ts) OVER w AS dwell_ms
    FROM v WHERE visit IS NOT NULL AND action = 'view' AND page IS NOT NULL WINDOW w AS (PARTITION BY visit ORDER BY ord)) pages USING (n)
LEFT JOIN clicks USING (n)
LEFT JOIN uniques USING (n)
"""

KEYS = f"""
CREATE TABLE kv AS SELECT n, key, text, num FROM posted_kv WHERE key NOT IN ({", ".join(f"'{key}'" for key in ORIGIN)})
UNION ALL SELECT e.n, key, text, num FROM e LEFT JOIN e f ON f.ord = e.visit JOIN posted_kv k ON k.n = coalesce(f.n, e.n)
    WHERE key IN ({", ".join(f"'{key}'" for key in ORIGIN)})
UNION ALL SELECT e.n, 'entry', f.path, NULL FROM e JOIN e f ON f.ord = e.visit WHERE f.path IS NOT NULL
UNION ALL SELECT e.n, 'entry_id', f.id, NULL FROM e JOIN e f ON f.ord = e.visit WHERE f.id IS NOT NULL
UNION ALL SELECT n, 'previous', previous, NULL FROM e WHERE previous IS NOT NULL
UNION ALL SELECT n, 'page', page, NULL FROM e WHERE page IS NOT NULL
UNION ALL SELECT n, 'site', site, NULL FROM e
UNION ALL SELECT n, 'day', day, NULL FROM e
UNION ALL SELECT n, 'event_id', event_id, NULL FROM e WHERE event_id IS NOT NULL
"""


def load(counting):
    """A DuckDB connection with the tables, from the events that count."""
    sql = duckdb.connect()
    sql.execute("CREATE TABLE posted(n INT, site TEXT, ts BIGINT, day TEXT, event_id TEXT, person TEXT, action TEXT, path TEXT, id TEXT, status DOUBLE, interactive BOOLEAN)")
    sql.execute("CREATE TABLE posted_kv(n INT, key TEXT, text TEXT, num DOUBLE)")
    insert(sql, "posted", [row(event) for event in counting])
    insert(sql, "posted_kv", [value for event in counting for value in values(event)])
    for statement in (RAW, VISITS, COUNTED, EVENTS, KEYS):
        sql.execute(statement)
    for key in INCREMENTS:
        sql.execute(f'''INSERT INTO kv SELECT n, '{key}', "{key}", "{key}" FROM e WHERE "{key}" IS NOT NULL''')
    return sql


def insert(sql, table, rows):
    columns = list(zip(*rows))
    names = [f"c{at}" for at in range(len(columns))]
    unnested = ", ".join(f"unnest(${name})" for name in names)
    sql.execute(f"INSERT INTO {table} SELECT {unnested}", {name: list(column) for name, column in zip(names, columns)})


def row(event):
    def first(key):
        return event.values.get(key, [None])[0]

    return (event.number, event.site, event.moment, event.day, event.event_id, event.person, first("action"), first("path"), first("id"), first("status"), event.interactive)


def values(event):
    found = [(event.number, key, normal.text(value), normal.number_form(value)) for key, listed in event.values.items() for value in listed]
    return found + ([(event.number, "channel", event.channel, None)] if event.channel else [])


def differences(sql, stored):
    """Where the increments and visits that the stored events carry are not those derived here."""
    found = []
    columns = ", ".join(f'"{key}"' for key in INCREMENTS)
    derived = {row[0]: row[1:] for row in sql.execute(f"SELECT n, visit, visit_at, previous, {columns} FROM e").fetchall()}
    names, keys = {}, ("previous",) + INCREMENTS
    for event in stored:
        visit, visit_at, *rest = derived[event["n"]]
        here = dict(zip(keys, rest))
        there = {key: event.get(key) for key in keys}
        told_at = metrics.instant(event["visit_at"]) if "visit_at" in event else None
        if here != there or visit_at != told_at:
            found.append(f"event {event['n']}: expected {here} visit_at {visit_at}, stored {there} visit_at {told_at}")
        if names.setdefault(visit, event.get("visit")) != event.get("visit"):
            found.append(f"event {event['n']}: visit {event.get('visit')} where its others have {names[visit]}")
    return found
