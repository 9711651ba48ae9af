"""Item usage (`/tock`) and the busiest values of a key (`/top`): asked, and recounted."""

import json
import urllib.parse

import ask
import events
import metrics
import questions
from metrics import Part, rows_of

FIELDS = ("views", "downloads", "referers", "visitors", "visits", "sources", "browsers", "pages", "total")
KEYS = {"referers": "referer", "sources": "source", "browsers": "browser", "pages": "path"}
BY = ("id", "path", "source", "browser", "user", "format", "word", "labels", "action", "entry")
TOPS = ("views", "downloads", "errors", "events", "visits", "visitors")


def tock(asker):
    """A question about one item, or about the whole site."""
    dice = asker.dice
    item = None if dice.random() < 0.3 else asker.some_of("id")
    fields = [name for name in dice.sample(FIELDS, dice.randrange(1, 5)) if asker.in_order or name not in ("visits", "sources")] or ["views"]
    given = common(asker) | {"interval": dice.choice(["hour", "day", "week", "month"]), "fields": ",".join(fields), "limit": dice.choice([3, 10_000])}
    if asker.in_order and dice.random() < 0.3:
        given["counting"] = "counter"
    path = f"/tock/{urllib.parse.quote(item, safe='')}.json" if item else "/tock.json"
    question = asked(given) | {"counting": given.get("counting", "raw")}
    question["filters"] = question["filters"] + ([["is", "id", [item]]] if item else [])

    def judge(answer):
        found = []
        for field in fields:
            mine, theirs = field_of(asker.sql, field, question, given), answer[field]
            if mine != theirs or isinstance(mine, dict) and list(mine) != list(theirs):
                found += [f"{field}: {line}" for line in differing(mine, theirs)]
        return found

    return ask.Ask("/tock/{id}.json" if item else "/tock.json", "GET", ask.with_parameters(path, given), judge)


def differing(mine, theirs):
    """What differs: of lists the entries, or else their order."""
    if not isinstance(mine, dict) or mine == theirs:
        return [f"expected {mine}, got {theirs}"]
    return [f"{key}: expected {mine.get(key)}, got {theirs.get(key)}" for key in mine | theirs if mine.get(key) != theirs.get(key)]


def field_of(sql, field, question, given):
    """What a field of `/tock` is, in its order."""
    counted = question["counting"] == "counter"
    if field in ("visits", "visitors"):
        return rows_of(sql, metrics.parts_of(field, "raw")[0][0], question)[()]
    both = Part("count(*)", "e.action IN ('view', 'download')" + " AND e.counted = 1" * counted)
    views, downloads = (metrics.actions(action, question["counting"]) for action in ("view", "download"))
    if field == "total":
        return {"views": rows_of(sql, views, question)[()], "downloads": rows_of(sql, downloads, question)[()]}
    if field == "views":
        rows = rows_of(sql, views, question | {"dimensions": [given["interval"]]})
        return {key: rows[key,] for key, in sorted(rows, key=lambda row: moment(row[0]), reverse=True)}
    part, key = (downloads, "format") if field == "downloads" else (both, KEYS[field])
    rows = rows_of(sql, part, question | {"dimensions": [key]})
    listed = sorted(((key, count) for (key,), count in rows.items() if key is not None), key=busiest)
    return dict(listed[: given["limit"]])


def moment(label):
    """Hours sort by the instant, which their text does not where clocks go back."""
    return metrics.instant(label) if "T" in label else label


def busiest(row):
    return (-row[1], row[0].encode())


def top(asker):
    """A question about the busiest values of a key; without an id there is no item, without another key the row `null`."""
    dice = asker.dice
    metric = dice.choice([name for name in TOPS if asker.in_order or name != "visits"])
    given = common(asker) | {"by": dice.choice([key for key in BY if asker.in_order or key not in questions.ORIGIN]), "metric": metric, "limit": dice.choice([5, 10_000])}
    question = asked(given) | {"metrics": [metric], "dimensions": [given["by"]]}

    def judge(answer):
        rows = [(key, value) for (key,), (value,) in metrics.answer(asker.sql, question).items() if value and (key is not None or given["by"] != "id")]
        mine = sorted(rows, key=lambda row: (-row[1], row[0] is not None, (row[0] or "").encode()))[: given["limit"]]
        theirs = [(row[given["by"]], row[metric]) for row in answer["results"]]
        return [] if mine == theirs else [f"expected {mine}, got {theirs}"]

    return ask.Ask("/top.json", "GET", ask.with_parameters("/top.json", given), judge)


def common(asker):
    """The parameters of every reading call."""
    dice, (first, last) = asker.dice, asker.range()
    given = {"site": dice.choice(list(events.SITES)), "from": first, "to": last, "tz": dice.choice(asker.zones)}
    if dice.random() < 0.3:
        given["bots"] = dice.choice(["include", "only"])
    if dice.random() < 0.3 and asker.where:
        given["where"] = json.dumps(asker.filter(asker.event_keys, 1), ensure_ascii=False)
    return given


def asked(given):
    """The same as a question of the recount."""
    return {
        "site_id": given["site"],
        "date_range": [given["from"], given["to"]],
        "tz": given["tz"],
        "bots": given.get("bots", "exclude"),
        "filters": [json.loads(given["where"])] if "where" in given else [],
    }
