"""Every metric of metrics.md as sums and distinct counts in SQL, and a question's rows put together from them.

A metric is one or more parts, each one grouped query over `e`, and what is made of their values in a row. A part says where
it takes time and range from, and which keys it reads for others (`path` as `entry`, …).
"""

import dataclasses
import datetime
import re
import zoneinfo

import filters

AT, VISIT_AT = "e.ts", "e.visit_at"
LANDING = {"path": "entry", "id": "entry_id"}
PAGE, PREVIOUS = {"path": "page"}, {"path": "previous"}
TIMES = ("minute", "hour", "day", "week", "month")
LANDED = ("bounces", "bounce_rate", "visit_duration", "views_per_visit")
PAGED = ("exits", "exit_rate", "dwell_time")
GOALS = ("conversions", "conversion_rate", "group_conversion_rate", "percentage")
REVENUE = ("total_revenue", "average_revenue")
VISITORS = "count(DISTINCT (e.day, e.person))"


@dataclasses.dataclass(frozen=True)
class Part:
    """One grouped query: what is summed, over which events, by which time, reading which keys for others."""

    sums: str
    where: str = "true"
    time: str = AT
    names: tuple = ()
    value_of: str = ""
    goal: bool = False
    grouped: bool = True


def over_visits(sums, where, names):
    return Part(sums, where, VISIT_AT, tuple(names.items()))


def visits(names):
    return over_visits("count(DISTINCT e.visit)", "e.visit IS NOT NULL", names)


def actions(action, counting):
    counted = " AND e.counted = 1" if counting == "counter" and action != "error" else ""
    return Part("count(*)", f"e.action = '{action}'{counted}")


def summed(key):
    return Part("sum(x.num)", value_of=key)


def worth(function):
    return Part(f"{function}(x.num)", value_of="value", goal=True)


def views_within():
    return over_visits("count(*)", "e.visit IS NOT NULL AND e.action = 'view' AND e.page IS NOT NULL", PAGE)


def followed(sums="count(*)"):
    return over_visits(sums, "e.previous IS NOT NULL", PREVIOUS)


def ratio(over, under, unit=1):
    return over / unit / under if under else None


def parts_of(metric, counting):
    """The parts of a metric, and how a row's value comes from theirs."""
    visitors = Part(VISITORS, "e.person IS NOT NULL")
    plain = {
        "events": Part("count(*)", "e.action <> 'engage'"),
        "views": actions("view", counting),
        "pageviews": actions("view", counting),
        "downloads": actions("download", counting),
        "errors": actions("error", counting),
        "visits": visits({}),
        "entries": over_visits("count(*)", "e.visit_start = 1 AND EXISTS (FROM kv WHERE kv.n = e.n AND key = 'entry')", {}),
        "visitors": visitors,
        "users": Part("count(DISTINCT x.text)", value_of="user"),
        "conversions": Part("count(*)", goal=True),
        "total_revenue": worth("sum"),
    }
    if metric in plain:
        return [plain[metric]], lambda value: value
    engaged = over_visits("count(e.engaged)", "true", LANDING)
    converted = dataclasses.replace(visitors, goal=True)
    alone = dataclasses.replace(visitors, grouped=False)
    made = {
        "bounces": ([visits(LANDING), engaged], lambda all_, more: all_ - more),
        "bounce_rate": ([visits(LANDING), engaged], lambda all_, more: ratio(all_ - more, all_)),
        "visit_duration": ([over_visits("sum(e.visit_ms)", "true", LANDING), visits(LANDING)], lambda ms, all_: ratio(ms, all_, 1000)),
        "views_per_visit": ([over_visits("count(*)", "e.visit IS NOT NULL AND e.action = 'view'", LANDING), visits(LANDING)], ratio),
        "exits": ([views_within(), followed()], lambda views, more: views - more),
        "exit_rate": ([views_within(), followed()], lambda views, more: ratio(views - more, views)),
        "dwell_time": ([followed("sum(e.dwell_ms)"), followed()], lambda ms, number: ratio(ms, number, 1000)),
        "time_on_page": ([summed("engaged_ms"), summed("engage_start")], lambda ms, views: ratio(ms, views, 1000)),
        "scroll_depth": ([summed("scroll_gain"), summed("engage_start")], ratio),
        "conversion_rate": ([converted, alone], ratio),
        "group_conversion_rate": ([converted, visitors], ratio),
        "average_revenue": ([worth("sum"), worth("count")], ratio),
        "percentage": ([visitors, alone], ratio),
    }
    return made[metric] if metric in made else function(metric)


def function(metric):
    """`sum(k)` and its like."""
    name, key = re.fullmatch(r"(\w+)\((.+)\)", metric).groups()
    if name == "count":
        return [Part("count(DISTINCT e.n)", value_of=key)], lambda value: value
    if name == "distinct":
        return [Part("count(DISTINCT x.text)", value_of=key)], lambda value: value
    if name == "avg":
        return [summed(key), Part("count(x.num)", value_of=key)], ratio
    if name in ("sum", "min", "max"):
        return [Part(f"{name}(x.num)", value_of=key)], lambda value: value
    # The smallest value that at least N % of them do not exceed.
    rank = f"CAST(ceil({int(name[1:])} * count(x.num) / 100.0) AS INT)"
    return [Part(f"list_sort(list(x.num) FILTER (x.num IS NOT NULL))[greatest(1, {rank})]", value_of=key)], lambda value: value


def approximate(metric):
    """How far an answer may be off, by the bounds that metrics.md states: of the recount, above how much."""
    if re.match(r"p\d+\(", metric):
        return 0.01, 0
    distinct = metric in ("visits", "visitors", "users") + GOALS[1:] or metric.startswith("distinct(")
    # A standard error of 1 % is within four of them nearly always.
    return (0.04, 1000) if distinct else (1e-9, 0)


def bucket(dimension, time, zone):
    """The label of a time dimension."""
    local = f"timezone('{zone}', make_timestamptz({time} * 1000))"
    if dimension in ("day", "week", "month"):
        return f"strftime(date_trunc('{dimension}', {local}), '%Y-%m-%d')"
    minutes = f"((epoch_ms({local}) - {time}) // 60000)"
    offset = f"printf('%s%02d:%02d', CASE WHEN {minutes} < 0 THEN '-' ELSE '+' END, abs({minutes}) // 60, abs({minutes}) % 60)"
    shape = {"hour": "%Y-%m-%dT%H:00:00", "minute": "%Y-%m-%dT%H:%M:00"}[dimension]
    return f"strftime({local}, '{shape}') || {offset}"


def bounds(date_range, zone):
    """[from, to) in ms: dates are whole days of the zone, both within."""
    first, last = date_range
    if len(first) == 10:
        end = datetime.date.fromisoformat(last) + datetime.timedelta(days=1)
        days = [datetime.datetime.combine(day, datetime.time(), zoneinfo.ZoneInfo(zone)) for day in (datetime.date.fromisoformat(first), end)]
        return [int(day.timestamp() * 1000) for day in days]
    return [instant(moment) for moment in (first, last)]


def instant(text):
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def asked(question, time, names):
    """The condition of a question's site, bots, range and filters."""
    first, end = bounds(question["date_range"], question["tz"])
    bots = {"exclude": "{} IS NULL", "only": "{} IS NOT NULL", "include": "true"}[question.get("bots", "exclude")]
    bot = "(SELECT any_value(text) FROM kv WHERE kv.n = e.n AND key = 'bot')"
    site = f"e.site = {filters.quoted(question['site_id'])}"
    return f"{site} AND {bots.format(bot)} AND {time} >= {first} AND {time} < {end} AND {filters.all_of(question.get('filters', []), names)}"


def rows_of(sql, part, question):
    """A part's value by row."""
    names = dict(part.names)
    dimensions = [key.removeprefix("time:") for key in question.get("dimensions", [])] if part.grouped else []
    joins, columns = [], []
    for at, dimension in enumerate(dimensions):
        if dimension in TIMES:
            columns.append(bucket(dimension, part.time, question["tz"]))
            continue
        key = filters.quoted(filters.key_of(dimension, names))
        joins.append(f"LEFT JOIN (SELECT DISTINCT n, text FROM kv WHERE key = {key}) d{at} ON d{at}.n = e.n")
        columns.append(f"d{at}.text")
    if part.value_of:
        joins.append(f"JOIN kv x ON x.n = e.n AND x.key = {filters.quoted(part.value_of)}")
    where = asked(question, part.time, names) + (f" AND {filters.condition(question['goal'], names)}" if part.goal else "")
    group = f"GROUP BY {', '.join(map(str, range(1, len(columns) + 1)))}" if columns else ""
    found = sql.execute(f"SELECT {''.join(column + ', ' for column in columns)}{part.sums} FROM e {' '.join(joins)} WHERE {part.where} AND {where} {group}").fetchall()
    return {tuple(row[:-1]): row[-1] for row in found}


def answer(sql, question):
    """Every row of a question with its metrics, as {dimensions: [values]}."""
    columns = []
    for metric in question["metrics"]:
        parts, made = parts_of(metric, question.get("counting", "raw"))
        columns.append((made, [(part, rows_of(sql, part, question)) for part in parts]))
    keys = {key for _, parts in columns for part, rows in parts if part.grouped for key in rows}
    found = {}
    for key in keys:
        found[key] = [value_of(made, parts, key) for made, parts in columns]
    return found


def value_of(made, parts, key):
    given = [rows.get(key if part.grouped else ()) for part, rows in parts]
    return made(*given) if len(given) == 1 else made(*(value or 0 for value in given))
