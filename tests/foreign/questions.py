"""A seeded generator of questions in api.md's grammar that metrics.md allows.

Values come from the events themselves, so that most filters hold for some. Which metrics go together follows the rule on
visit keys: the metrics of landings and pages are asked with visit keys, `path` and `id` alone.
"""

import datetime

import compare
import events
import metrics
from ask import Ask

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"]
ORIGIN = ["entry", "entry_id", "source", "channel", "utm_source", "utm_medium", "utm_campaign"]
VISITOR_KEYS = ["browser", "os", "device"]
EVENT_KEYS = ["path", "id", "action", "format", "status", "user", "referer", "word", "mixed", "labels", "flag", "deep.er", "price", "error_type", "method", "release", "nums", "browser_version", "interactive", "fingerprint", "view_id", "visitor"]
NUMBER_KEYS = ["price", "mixed", "nums", "status", "value", "duration_ms", "lcp_ms", "cls", "deep.number", "visit_ms", "dwell_ms", "scroll_gain", "word"]
PROVISIONAL = ["visit_ms", "dwell_ms"]
COUNTS = ["events", "views", "pageviews", "downloads", "errors", "visits", "visitors", "users", "entries"]
LONG = {"path": "event:page", "source": "visit:source", "entry": "visit:entry_page", "browser": "visit:browser"}


class Asker:
    """Makes questions about the world in `sql`; `in_order`: visits may be asked for; `where`: reading calls take it."""

    def __init__(self, dice, sql, days, in_order, where):
        self.dice, self.sql, self.days, self.in_order, self.where = dice, sql, days, in_order, where
        self.zones = ZONES
        self.visit_keys = VISITOR_KEYS + ORIGIN * in_order
        self.event_keys = [key for key in EVENT_KEYS if in_order or key not in PROVISIONAL]
        self.number_keys = [key for key in NUMBER_KEYS if in_order or key not in PROVISIONAL]
        self.values = {}

    def some_of(self, key):
        """Texts of a key that occur, most frequent ones more often."""
        if key not in self.values:
            found = self.sql.execute("SELECT text FROM kv WHERE key = ? ORDER BY hash(n, text) LIMIT 300", [key]).fetchall()
            self.values[key] = [row[0] for row in found] or ["nothing"]
        return self.dice.choice(self.values[key])

    def query(self):
        """A question for POST /query: all its rows, or now and then a page of them."""
        if self.dice.random() < 0.1:
            return self.page()
        asked = self.question() | {"pagination": {"limit": 10_000}}
        return Ask("/query", "POST", "/query", lambda answer: compare.query_differences(asked, metrics.answer(self.sql, asked), answer), asked)

    def page(self):
        """A page of a question's rows in order: by a count, largest first, ties by the row's text."""
        dice, key, metric = self.dice, self.dice.choice(["path", "id", "word", "user"]), self.dice.choice(["events", "views", "visitors"])
        asked = self.question() | {"metrics": [metric], "dimensions": [key], "filters": [["exists", key]], "order_by": [[metric, "desc"]]}
        first, limit = dice.randrange(4), dice.randrange(1, 9)
        asked |= {"pagination": {"limit": limit, "offset": first}}

        def judge(answer):
            rows = sorted(metrics.answer(self.sql, asked).items(), key=lambda row: (-(row[1][0] or 0), row[0][0].encode()))
            mine = [(key, value) for (key,), (value,) in rows if value][first : first + limit]
            theirs = [(row["dimensions"][0], row["metrics"][0]) for row in answer["results"]]
            return [] if mine == theirs else [f"expected {mine}, got {theirs}"]

        return Ask("/query", "POST", "/query", judge, asked)

    def question(self):
        dice = self.dice
        family = dice.choice(["events", "events", "functions", "goals"] + ["landings", "pages"] * self.in_order)
        keys = {"landings": self.visit_keys + ["path", "id"], "pages": self.visit_keys + ["path", "path"]}.get(family, self.visit_keys + self.event_keys)
        zone = dice.choice(ZONES)
        asked = {"site_id": dice.choice(list(events.SITES)), "metrics": self.metrics(family), "date_range": self.range(), "tz": zone}
        times = [time for time in metrics.TIMES if time != "minute" or dice.random() < 0.3]
        asked["dimensions"] = dice.sample(keys, dice.choice([0, 1, 1, 1, 2])) + dice.sample(times, dice.choice([0, 0, 1]))
        asked["dimensions"] = [self.long_name(key) for key in dict.fromkeys(asked["dimensions"])]
        if "minute" in asked["dimensions"]:
            # More intervals than are answered at once would be refused.
            asked["date_range"] = [dice.choice(self.days).isoformat()] * 2
        asked["filters"] = [self.filter(keys, 0) for _ in range(dice.choice([0, 0, 1, 1, 2]))]
        if dice.random() < 0.4:
            asked["bots"] = dice.choice(["include", "only", "exclude"])
        if self.in_order and dice.random() < 0.2:
            asked["counting"] = "counter"
        if family == "goals":
            asked["goal"] = self.filter(self.event_keys, 1)
        return {key: value for key, value in asked.items() if value != []}

    def metrics(self, family):
        dice = self.dice
        if family == "landings":
            return dice.sample(metrics.LANDED, dice.randrange(1, 4))
        if family == "pages":
            return dice.sample(metrics.PAGED, dice.randrange(1, 4))
        if family == "goals":
            return dice.sample(metrics.GOALS + metrics.REVENUE, dice.randrange(1, 4))
        if family == "functions":
            names = ["count", "sum", "avg", "min", "max", "distinct", "p50", "p75", "p90", "p95", "p99", "p1"]
            return [f"{dice.choice(names)}({dice.choice(self.number_keys)})" for _ in range(dice.randrange(1, 4))]
        counts = [name for name in COUNTS + ["time_on_page", "scroll_depth"] if self.in_order or name not in ("visits", "entries")]
        return dice.sample(counts, dice.randrange(1, 5))

    def range(self):
        """Whole days, or two moments."""
        dice = self.dice
        first, last = sorted(dice.choice(self.days) for _ in range(2))
        if dice.random() < 0.3:
            first, last = self.days[0], self.days[-1]
        if dice.random() < 0.8:
            return [first.isoformat(), last.isoformat()]
        at = [datetime.datetime.combine(day, datetime.time(dice.randrange(24), dice.choice([0, 0, 30, 17])), datetime.timezone.utc) for day in (first, last)]
        if at[0] >= at[1]:
            at[1] = at[0] + datetime.timedelta(hours=dice.randrange(1, 40))
        return [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in at]

    def long_name(self, key):
        """Now and then the name that Plausible has for it."""
        if key in metrics.TIMES and self.dice.random() < 0.5 and key != "minute":
            return f"time:{key}"
        return LONG[key] if key in LONG and self.dice.random() < 0.3 else key

    def filter(self, keys, depth):
        dice = self.dice
        if depth < 3 and dice.random() < 0.3:
            operator = dice.choice(["and", "or", "not"])
            if operator == "not":
                return ["not", self.filter(keys, depth + 1)]
            return [operator, [self.filter(keys, depth + 1) for _ in range(dice.randrange(1, 4))]]
        operator = dice.choice(["is", "is", "is", "is_not", "contains", "contains_not", "matches", "matches_not", "exists", "gt", "gte", "lt", "lte"])
        key = dice.choice(keys)
        if operator == "exists":
            return ["exists", key]
        if operator in ("gt", "gte", "lt", "lte"):
            numeric = [name for name in keys if name in NUMBER_KEYS]
            if not numeric:
                return ["exists", key]
            return [operator, dice.choice(numeric), [dice.choice([0, 1, 2.5, 5, 200, 1e21, -3])]]
        wanted = [self.wanted(operator, key) for _ in range(dice.choice([1, 1, 2]))]
        made = [operator, self.long_name(key), wanted]
        return made + [{"case_sensitive": False}] if dice.random() < 0.25 else made

    def wanted(self, operator, key):
        """A text to look for: one that occurs, a part of it, or a pattern."""
        dice, found = self.dice, self.some_of(key)
        if operator.startswith("contains"):
            begin = dice.randrange(max(1, len(found)))
            found = found[begin : begin + dice.randrange(1, 5)] or "a"
        if operator.startswith("matches"):
            return dice.choice(["^/", "tree", "s$", "^.{1,3}$", "[0-9]+", "(?i)PLAIN", "^(a|b)", "^$", r"\.", "ü", "^[A-Za-z]+$", "e.*e", r"\d{2}", "b."])
        return dice.choice([found, found, found.swapcase()])
