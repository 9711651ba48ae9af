"""A seeded generator of raw events, as a sender would post them to /tick.

- Every event has `@timestamp` and an own key `n`, its number: the recount knows a stored event again by it.
- A world in order has each visitor's events arrive in the order of their times, so that open days have their final
  increments; a shuffled one does not.
- It aims at edges: gaps of exactly 30 minutes and of 1 ms more, midnights and clock changes of the site's zone, equal
  timestamps, copies under one `event_id` (same and altered), values of one key that are numbers here and texts there.
- Events of today and yesterday may come with `ip` and `user_agent` alone (their salts exist); older ones then have no visitor.
"""

import dataclasses
import datetime
import pathlib
import random
import tomllib
import zoneinfo

CONFIG = pathlib.Path(__file__).with_name("metronome.toml")
SITES = {site["name"]: site["timezone"] for site in tomllib.loads(CONFIG.read_text())["site"]}
SECOND, MINUTE = 1000, 60_000

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"
AGENTS = [
    FIREFOX.format(127, 127),
    FIREFOX.format(128, 128),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
]
BOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
]
PATHS = ["/", "/datasets/trees", "/datasets/trees/", "/datasets/schools", "/admin", "/Admin/users", "/a%20b", "/stra%c3%9fe", "/%7Euser", "/CAF%C3%89", "/search", "/=SUM(A1)"]
ITEMS = ["item-7", "Item-7", "größe", "a.b/c", "trees"]
REFERERS = [
    "https://www.google.com/search?q=trees",
    "https://arcgis.com/home/",
    "https://Washingtonpost.com/articles/dc-news?utm=1#top",
    "https://t.co/xyz",
    "http://example.org:8080/a",
]
CAMPAIGNS = ["utm_source=newsletter&utm_medium=email&utm_campaign=March", "utm_source=google&utm_medium=cpc", "utm_source=Partner"]
TEXTS = ["plain", "Plain", "ÜMLAUT", "ümlaut", "ΣΊΣΥΦΟΣ", "σίσυφος", "İ", "ǅ", "🌲 tree", "a,b", "", " x ", '"quoted"', "5", "NaN", "tab\tand\nline"]
NUMBERS = [0, -0.0, 1, 2, 5, -3, 2.5, 0.1, 0.2, 1e21, 1.5e-7, 1234567.875, 9007199254740993, 200]
GAPS = [0, 0, SECOND, 7 * SECOND, 29_999, 30 * SECOND, 30_001, 35 * SECOND, MINUTE, 5 * MINUTE, 12 * MINUTE, 29 * MINUTE, 30 * MINUTE, 30 * MINUTE + 1, 31 * MINUTE]
KINDS = ["view"] * 10 + ["download"] * 3 + ["click", "signup", "signup", "play", "engage", "engage", "engage", "error", "error", "timing", "request", "log", "quiet", "item", "default"]
MESSAGES = [
    ("number", lambda dice: f"index {dice.randrange(100)} is out of range"),
    ("hex", lambda dice: f"bad pointer 0x{dice.randrange(1 << 32):08x}"),
    ("quoted", lambda dice: f'no such column "{dice.choice(["a", "b c", "d"])}"'),
    ("url", lambda dice: f"cannot load https://example.org/{dice.randrange(9)}/x.js"),
    ("email", lambda dice: f"no mailbox user{dice.randrange(9)}@example.org here"),
    ("uuid", lambda dice: f"lost 123e4567-e89b-12d3-a456-42661417{dice.randrange(1000, 9999)}"),
]


@dataclasses.dataclass
class Batch:
    """One request to /tick."""

    headers: dict
    events: list


def days(today):
    """Days with clock changes of several zones, ordinary ones, and the two that have salts."""
    spans = [("2026-02-27", 3), ("2026-03-06", 5), ("2026-03-28", 3), ("2026-04-04", 2), ("2026-10-03", 2), ("2026-10-24", 3), ("2026-10-31", 3)]
    found = [datetime.date.fromisoformat(first) + datetime.timedelta(days=at) for first, length in spans for at in range(length)]
    return found + [today - datetime.timedelta(days=1), today]


def generate(seed, today, size, shuffled):
    """At least `size` events in batches, in order of arrival."""
    dice = random.Random(seed)
    made = []
    while len(made) < size:
        made += session(dice, today)
    made.sort(key=lambda event: (event["@timestamp"], "event_id" not in event, event.get("event_id", "").encode()))
    if shuffled:
        move_late(dice, made)
    for number, event in enumerate(made, 1):
        event["n"] = number
        event["@timestamp"] = written(event["@timestamp"])
    return batches(dice, made + copies(dice, made))


def session(dice, today):
    """Some events of one person, about one time."""
    site = dice.choice(list(SITES))
    day = dice.choice(days(today))
    salted = (today - day).days < 2
    moment = start(dice, day, zoneinfo.ZoneInfo(SITES[site]))
    who = person(dice, salted)
    campaign, referer = dice.choice(CAMPAIGNS), dice.choice(REFERERS)
    made, view_id, engaged = [], None, set()
    for at in range(min(12, 1 + int(dice.expovariate(0.3)))):
        moment += dice.choice(GAPS) if at else 0
        event = {"site": site, "@timestamp": moment} | who | of_kind(dice)
        if dice.random() < 0.95:
            event["event_id"] = f"{dice.choice('abcé')}{dice.randrange(1 << 40):x}"
        elif made and made[-1]["@timestamp"] == moment:
            continue
        if "event_id" in event and dice.random() < 0.02:
            who = who | {"user_agent": dice.choice(AGENTS)}
        if at == 0 and dice.random() < 0.3 or dice.random() < 0.03:
            event["referer"] = referer
        if "path" in event and (at == 0 and dice.random() < 0.25 or dice.random() < 0.02):
            event["url"] = f"https://data.example.org{event.pop('path')}?{campaign}"
        if event.get("action") == "engage":
            engage(dice, event, view_id, engaged)
        elif event.get("action", "view") == "view":
            view_id = f"v{dice.randrange(1 << 40):x}"
            event["view_id"] = view_id
        made.append({key: value for key, value in event.items() if value is not None})
    return made


def start(dice, day, zone):
    """A moment of the day in ms: near midnight, near a change of clocks, or any."""
    minute = dice.choice([dice.randrange(-20, 10), dice.randrange(60, 240), dice.randrange(1440), dice.randrange(1440)])
    local = datetime.datetime.combine(day, datetime.time(), zone).timestamp()
    moment = (int(local) + minute * 60 + dice.randrange(60)) * SECOND
    return moment + dice.choice([0, 0, dice.randrange(1000)])


def person(dice, salted):
    """Who sends: by a pseudonym, by an address where the day has a salt, a bot, or nobody known."""
    name = dice.choice("abcdefghijklmnopqrstuvwxyz") + dice.choice("123")
    agent = AGENTS[sum(name.encode()) % len(AGENTS)]
    roll = dice.random()
    if roll < 0.08:
        return {"visitor": name, "user_agent": dice.choice(BOTS)}
    if roll < 0.14:
        return {"user_agent": agent, "user": dice.choice([None, "user-" + name])}
    if roll < 0.20 or (salted and roll < 0.6):
        return {"ip": f"192.0.2.{ord(name[0])}", "user_agent": agent}
    if roll < 0.30:
        return {"visitor": name, "user": "user-" + name.upper()}
    return {"visitor": name, "user_agent": agent, "user": "user-" + name if name < "k" else None}


def of_kind(dice):
    kind = dice.choice(KINDS)
    path = dice.choice(PATHS[: dice.choice([4, len(PATHS)])])
    if kind == "error":
        return error(dice, path) | own_keys(dice)
    if kind == "download":
        named = {"path": path} if dice.random() < 0.5 else {"id": dice.choice(ITEMS)}
        event = {"action": kind, "format": dice.choice(["csv", "kml", "shp", None]), "status": dice.choice([200, 304, 404, None, "200"])} | named
    elif kind == "item":
        event = {"action": "view", "id": dice.choice([*ITEMS, None])}
    elif kind == "quiet":
        event = {"action": dice.choice(["view", "play"]), "path": path, "interactive": False}
    elif kind == "default":
        event = {"path": path, "id": dice.choice([None, dice.choice(ITEMS)])}
    elif kind == "timing" and dice.random() < 0.5:
        event = {"ttfb_ms": dice.randrange(50, 3000)}
    elif kind in ("view", "engage", "timing"):
        event = {"action": kind, "path": path, "status": dice.choice([None, None, 200, 500])}
    else:
        event = {"action": kind, "path": dice.choice([path, None]), "id": dice.choice([None, dice.choice(ITEMS)])}
    if kind in ("view", "timing") and dice.random() < 0.4:
        event |= {"lcp_ms": dice.randrange(300, 6000), "inp_ms": dice.randrange(10, 900), "cls": dice.randrange(400) / 1000, "fcp_ms": round(dice.lognormvariate(7, 1), 3)}
    return event | own_keys(dice)


def error(dice, path):
    """An error, with the group it must fall in as its own key `group`."""
    if dice.random() < 0.3:
        status, method = dice.choice([404, 500]), dice.choice(["GET", "POST"])
        return {"action": "error", "error_type": "http", "status": status, "method": method, "path": path, "group": f"{status} {method}"}
    name, message = dice.choice(MESSAGES)
    kind = dice.choice(["TypeError", "RangeError"])
    return {"error_type": kind, "message": message(dice), "path": path, "release": dice.choice(["1.0", "1.1", None]), "group": name}


def own_keys(dice):
    """Keys of the application's own: a few on some events."""
    kinds = {
        "price": lambda: dice.choice([dice.randrange(100), dice.randrange(10000) / 100]),
        "mixed": lambda: dice.choice(NUMBERS + TEXTS),
        "labels": lambda: [dice.choice(TEXTS[:8]) for _ in range(dice.randrange(1, 4))],
        "nums": lambda: [dice.choice(NUMBERS) for _ in range(dice.randrange(1, 4))],
        "flag": lambda: dice.choice([True, False]),
        "deep": lambda: {"er": dice.choice(TEXTS), "number": dice.randrange(9)},
        "word": lambda: dice.choice(TEXTS),
        "value": lambda: dice.choice([9.99, 20, 0.1]),
        "duration_ms": lambda: round(dice.lognormvariate(5, 1.5), 2),
    }
    return {key: make() for key, make in kinds.items() if dice.random() < 0.15}


def engage(dice, event, view_id, engaged):
    """What the tracker sends: visible time and depth of one view, whose first says so."""
    if view_id is None:
        return
    event |= {"view_id": view_id, "engaged_ms": dice.randrange(100, 60_000), "scroll_gain": dice.randrange(0, 60)}
    if view_id not in engaged:
        event["engage_start"] = 1
        engaged.add(view_id)


def move_late(dice, made):
    """A fifth of the events arrives later than its place, some much."""
    for _ in range(len(made) // 5):
        event = made.pop(dice.randrange(len(made)))
        made.insert(dice.randrange(len(made)), event)


def copies(dice, made):
    """Later copies under one event_id: as they were, and altered."""
    known = [event for event in made if "event_id" in event]
    found = []
    for number, event in enumerate(dice.sample(known, len(known) // 50)):
        altered = {"path": "/altered"} if dice.random() < 0.5 else {}
        found.append(event | altered | {"n": len(made) + 1 + number})
    return found


def batches(dice, made):
    """The events in requests of some length; a few of those with GPC."""
    found, at = [], 0
    while at < len(made):
        length = dice.randrange(1, 400)
        headers = {"Sec-GPC": "1"} if dice.random() < 0.03 else {}
        found.append(Batch(headers, made[at : at + length]))
        at += length
    return found


def written(moment):
    """Milliseconds since 1970 as RFC 3339."""
    text = datetime.datetime.fromtimestamp(moment // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment % 1000:03}Z"
