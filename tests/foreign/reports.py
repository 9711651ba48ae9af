"""Times, errors' groups, flows, retention and recommendations: asked, and recounted."""

import collections
import datetime
import json
import math
import urllib.parse

import events
import filters
import items
import metrics
from ask import Ask, with_parameters
from compare import same
from metrics import AT, VISIT_AT, Part, rows_of

LIMIT = 10_000
# Good up to the first, poor above the second, at p75.
VITALS = {"lcp_ms": (2500, 4000), "inp_ms": (200, 500), "cls": (0.1, 0.25), "fcp_ms": (1800, 3000), "ttfb_ms": (800, 1800)}
PERCENTILES = (50, 75, 95, 99)


def times(asker):
    """Percentiles of a key, or of the visible time of page views, by another key."""
    dice = asker.dice
    metric, by = dice.choice([*VITALS, "duration_ms", "price", "time_on_page"]), dice.choice(["path", "browser", "day", "user"])
    given = items.common(asker) | {"metric": metric, "by": by, "limit": LIMIT}
    question = items.asked(given) | {"dimensions": [by]}

    def judge(answer):
        mine = collections.defaultdict(list)
        if metric == "time_on_page":
            for (key, _), value in rows_of(asker.sql, metrics.summed("engaged_ms"), question | {"dimensions": [by, "view_id"]}).items():
                mine[key] += [value] if value is not None else []
        else:
            for (key,), value in rows_of(asker.sql, Part("list(x.num)", "x.num IS NOT NULL", value_of=metric), question).items():
                mine[key] = value
        theirs = {row[by]: row for row in answer["results"]}
        found = [f"rows: expected {sorted(map(str, mine))}, got {sorted(map(str, theirs))}"] if mine.keys() != theirs.keys() else []
        for key in mine.keys() & theirs.keys():
            found += time_differences(metric, key, sorted(mine[key]), theirs[key])
        return found

    return Ask("/times.json", "GET", with_parameters("/times.json", given), judge)


def time_differences(metric, key, values, row):
    found = [] if row["count"] == len(values) else [f"{key}: expected count {len(values)}, got {row['count']}"]
    at = {percent: values[max(1, math.ceil(percent * len(values) / 100)) - 1] for percent in PERCENTILES}
    for percent, value in at.items():
        if not same(f"p{percent}(", value, row[f"p{percent}"]):
            found.append(f"{key}: expected p{percent} {value}, got {row[f'p{percent}']}")
    fitting = {rating(metric, at[75] * share) for share in (0.99, 1, 1.01)}
    return found + ([] if row.get("rating") in fitting else [f"{key}: expected rating {fitting}, got {row.get('rating')}"])


def rating(metric, value):
    if metric not in VITALS:
        return None
    good, poor = VITALS[metric]
    return "good" if value <= good else "poor" if value > poor else "needs-improvement"


def errors(asker):
    """Groups by fingerprint."""
    given = items.common(asker) | {"limit": LIMIT}
    question = items.asked(given) | {"dimensions": ["fingerprint"]}

    def judge(answer):
        parts = {
            "events": Part("count(*)"),
            "visitors": Part(metrics.VISITORS, "e.person IS NOT NULL"),
            "first_seen": Part("min(e.ts)"),
            "last_seen": Part("max(e.ts)"),
        }
        mine = collections.defaultdict(dict)
        for name, part in parts.items():
            for (key,), value in rows_of(asker.sql, part, question).items():
                if key is not None:
                    mine[key][name] = events.written(value) if name.endswith("seen") else value
        theirs = {row["fingerprint"]: {name: row[name] for name in parts} for row in answer["results"]}
        for row in mine.values():
            row.setdefault("visitors", 0)
        return [f"{key}: expected {mine.get(key)}, got {theirs.get(key)}" for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]

    return Ask("/errors.json", "GET", with_parameters("/errors.json", given), judge)


def flows(asker):
    """All edges of visits, with what enters and leaves them; asked with visit keys, which hold of whole visits, and with `path`:
    an edge is there for the page before it as for the page after it."""
    given = {key: value for key, value in items.common(asker).items() if key != "where"} | {"limit": LIMIT}
    if asker.where and asker.dice.random() < 0.5:
        given["where"] = json.dumps(asker.filter([*asker.visit_keys, "path"], 1), ensure_ascii=False)
    question = items.asked(given)

    def judge(answer):
        condition = metrics.asked(question | {"filters": []}, VISIT_AT, {})
        of, behind = (filters.all_of(question["filters"], names) for names in (metrics.PAGE, metrics.PREVIOUS))
        mine = asker.sql.execute(
            f"""WITH p AS (SELECT *, lead(ord) OVER (PARTITION BY visit ORDER BY ord) IS NULL AS ends, {of} AS asked,
                    previous IS NOT NULL AND {behind} AS behind
                FROM e WHERE visit IS NOT NULL AND action = 'view' AND page IS NOT NULL AND {condition})
            SELECT coalesce(previous, '(entry)'), page, count(*) FROM p WHERE asked OR behind GROUP BY ALL
            UNION ALL SELECT page, '(exit)', count(*) FROM p WHERE ends AND asked GROUP BY ALL"""
        ).fetchall()
        mine = {(before, after): count for before, after, count in mine}
        theirs = {(edge["from"], edge["to"]): edge["weight"] for edge in answer["edges"]}
        return [f"{edge}: expected {mine.get(edge)}, got {theirs.get(edge)}" for edge in mine.keys() | theirs.keys() if mine.get(edge) != theirs.get(edge)]

    return Ask("/flows.json", "GET", with_parameters("/flows.json", given), judge)


def retention(asker):
    """Cohorts of users: asked of events that have a user."""
    by = asker.dice.choice(["day", "week", "month"])
    given = {key: value for key, value in items.common(asker).items() if key != "where"} | {"by": by, "where": json.dumps(["exists", "user"])}
    question = items.asked(given)

    def judge(answer):
        period = metrics.bucket(by, AT, question["tz"])
        rows = asker.sql.execute(
            f"""WITH active AS (SELECT DISTINCT u.text AS user, {period} AS period FROM e JOIN kv u ON u.n = e.n AND u.key = 'user'
                WHERE {metrics.asked(question, AT, {})}),
            cohorts AS (SELECT user, min(period) AS cohort FROM active GROUP BY user)
            SELECT cohort, period, count(*) FROM active JOIN cohorts USING (user) GROUP BY ALL"""
        ).fetchall()
        counts = {(cohort, at): count for cohort, at, count in rows}
        mine = {(cohort, at): count / counts[cohort, cohort] for (cohort, at), count in counts.items()}
        theirs = {}
        for cohort in answer["cohorts"]:
            for step, share in enumerate(cohort["active"]):
                if share:
                    theirs[cohort["cohort"], later(cohort["cohort"], by, step)] = share
        differing = [cell for cell in mine.keys() | theirs.keys() if not same("share", mine.get(cell), theirs.get(cell))]
        sizes = [row for row in answer["cohorts"] if row["size"] != counts.get((row["cohort"], row["cohort"]), 0)]
        return [f"{cell}: expected {mine.get(cell)}, got {theirs.get(cell)}" for cell in differing] + [f"size of {row}" for row in sizes]

    return Ask("/retention.json", "GET", with_parameters("/retention.json", given), judge)


def later(first, by, steps):
    """The label of the period so many after the first."""
    year, month, day = map(int, first.split("-"))
    if by == "month":
        months = year * 12 + month - 1 + steps
        return f"{months // 12}-{months % 12 + 1:02}-01"
    return str(datetime.date(year, month, day) + datetime.timedelta(days=steps * (7 if by == "week" else 1)))


def recommendations(asker):
    """Items used together with one, by the log-likelihood ratio over visits or users."""
    item, over = asker.some_of("id"), asker.dice.choice(["visit", "visit", "user"])
    given = items.common(asker) | {"limit": 1000, "over": over}
    question = items.asked(given)

    def judge(answer):
        condition = metrics.asked(question, VISIT_AT if over == "visit" else AT, {})
        basket = ("e.visit", "") if over == "visit" else ("u.text", "JOIN kv u ON u.n = e.n AND u.key = 'user'")
        baskets = f"""touched AS (SELECT DISTINCT {basket[0]} AS basket, e.id FROM e {basket[1]}
                WHERE {basket[0]} IS NOT NULL AND e.id IS NOT NULL AND e.action IN ('view', 'download') AND {condition}),
            support AS (SELECT id, count(*) AS support FROM touched GROUP BY id)"""
        own, all_baskets = asker.sql.execute(
            f"WITH {baskets} SELECT (SELECT support FROM support WHERE id = {filters.quoted(item)}), count(DISTINCT basket) FROM touched"
        ).fetchone()
        rows = asker.sql.execute(
            f"""WITH {baskets} SELECT b.id, count(*), any_value(s.support) FROM touched a JOIN touched b USING (basket) JOIN support s ON s.id = b.id
            WHERE a.id = {filters.quoted(item)} AND b.id <> a.id GROUP BY b.id HAVING count(*) >= 3"""
        ).fetchall()
        if answer["method"] == "popular" or not rows:
            return [] if answer["method"] == "popular" and not rows else [f"expected {rows}, answered {answer['method']}"]
        mine = {}
        for other, both, support in rows:
            if both * all_baskets > own * support:
                mine[other] = (likelihood(both, own - both, support - both, all_baskets - own - support + both), both, support)
        theirs = {row["id"]: (row["score"], row["together"], row["support"]) for row in answer["results"]}
        found = [f"items: expected {mine}, got {theirs}"] if mine.keys() != theirs.keys() else []
        for key in mine.keys() & theirs.keys():
            if mine[key][1:] != theirs[key][1:] or not math.isclose(mine[key][0], theirs[key][0], rel_tol=1e-6, abs_tol=1e-9):
                found.append(f"{key}: expected {mine[key]}, got {theirs[key]}")
        if [answer["support"], answer["baskets"]] != [own, all_baskets]:
            found.append(f"expected {own} of {all_baskets} baskets, got {answer['support']} of {answer['baskets']}")
        if list(theirs) != sorted(theirs, key=lambda key: (-theirs[key][0], key.encode())):
            found.append(f"not in order: {list(theirs)}")
        return found

    return Ask("/recommendations/{id}.json", "GET", with_parameters(f"/recommendations/{urllib.parse.quote(item, safe='')}.json", given), judge)


def likelihood(both, a, b, neither):
    """Dunning's log-likelihood ratio of a table of four counts."""

    def entropy(*counts):
        total = sum(counts)
        return -sum(count * math.log(count / total) for count in counts if count)

    rows, columns = entropy(both + a, b + neither), entropy(both + b, a + neither)
    return 2 * max(0.0, rows + columns - entropy(both, a, b, neither))
