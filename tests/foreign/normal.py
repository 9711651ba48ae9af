"""From what was posted to what counts: events.md's reading of the keys that the generator uses.

Worked out here, from the raw events: paths, items, actions, referers, campaigns and sources, numbers and texts, the day of
the site's zone, copies (the first under an `event_id` on a site and day counts), who has no visitor for GPC.
Taken from `GET /events.json`: `browser`, `browser_version`, `os`, `device`, `bot` (lists), `channel` of an event by itself
(lists), `fingerprint` (a hash), and the value of `visitor` (a hash; whether an address had a salt is only known by it being
there). Visits and increments are never taken.
"""

import datetime
import json
import math
import re
import urllib.parse
import zoneinfo

import events
from metrics import instant

TAKEN = ["browser", "browser_version", "os", "device", "bot", "fingerprint", "visitor"]
NUMBER_KEYS = {"status", "bytes", "duration_ms", "value", "engaged_ms", "scroll_gain", "engage_start", "ttfb_ms", "fcp_ms", "lcp_ms", "inp_ms", "cls", "load_ms"}
USED = {"@timestamp", "ip", "user_agent", "visitor", "url", "interactive"}
UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


class Event:
    """One event that counts: where, when, whose, and each key's list of values."""

    def __init__(self, raw, gpc):
        self.number = raw["n"]
        self.site = raw["site"]
        self.moment = instant(raw["@timestamp"])
        self.day = day_of(self.moment, events.SITES[self.site])
        self.event_id = raw.get("event_id")
        self.interactive = raw.get("interactive", True)
        self.values = keys_of(raw)
        self.person = None
        self.channel = None
        if gpc:
            self.values.pop("user", None)

    def take(self, stored, raw):
        """Adds what is taken from the stored event; `person` is who the visitor is, without the hash."""
        for key in TAKEN:
            if key in stored:
                self.values[key] = [stored[key]]
        self.channel = json.loads(stored.get("own_origin", "{}")).get("channel", stored.get("channel"))
        if "visitor" in stored:
            told = [raw.get("visitor"), raw.get("ip") if "visitor" not in raw else None]
            seen = [stored.get(key) for key in ("browser", "browser_version", "os", "device", "bot")]
            agent = raw.get("user_agent") if "visitor" not in raw else None
            self.person = repr((told, seen, agent))


def day_of(moment, zone):
    return datetime.datetime.fromtimestamp(moment / 1000, zoneinfo.ZoneInfo(zone)).date().isoformat()


def keys_of(raw):
    """Every key of the event with its values, under the names and in the forms that are asked for."""
    found = flat({key: value for key, value in raw.items() if key not in USED})
    if "url" in raw:
        parts = urllib.parse.urlsplit(raw["url"])
        found["path"], found["url_host"] = [parts.path], [parts.hostname]
        for key, value in urllib.parse.parse_qsl(parts.query):
            found[key] = [value]
    if "interactive" in raw:
        found["interactive"] = [raw["interactive"]]
    for key in NUMBER_KEYS & found.keys():
        found[key] = [number(value) for value in found[key]]
    if "path" in found:
        found["path"] = [path(found["path"][0])]
    item = found.get("id", found.get("path"))
    if item:
        found["id"] = [path(item[0]) if item[0].startswith("/") else item[0]]
    if "referer" in found:
        found["referer"] = [referer(found["referer"][0])]
    found["action"] = found.get("action") or [default_action(found)]
    if found["action"] == ["download"] and "format" not in found:
        found["format"] = ["other"]
    source = found.get("utm_source") or [re.split("[:/]", text)[0] for text in found.get("referer", [])]
    if source:
        found["source"] = source
    return found


def flat(value, name=""):
    """Nested objects with dots; arrays as several values."""
    if not isinstance(value, dict):
        return {name: value if isinstance(value, list) else [value]}
    return {key: values for part, inner in value.items() for key, values in flat(inner, f"{name}.{part}" if name else part).items()}


def number(value):
    return float(value) if isinstance(value, str) else value


def path(text):
    """Without slashes at the end; escapes of unreserved characters decoded, others in upper case."""

    def escape(found):
        character = chr(int(found.group(1), 16))
        return character if character in UNRESERVED else found.group(0).upper()

    return re.sub(r"%([0-9A-Fa-f]{2})", escape, text).rstrip("/") or "/"


def referer(text):
    parts = urllib.parse.urlsplit(text)
    return (parts.netloc.lower().removeprefix("www.") + parts.path).rstrip("/")


def default_action(found):
    if "error_type" in found or "stack" in found:
        return "error"
    return "timing" if "path" not in found and found.keys() & {"ttfb_ms", "fcp_ms", "lcp_ms", "inp_ms", "cls", "load_ms"} else "view"


def text(value):
    """The text form: numbers as JavaScript writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if value == math.trunc(value) and abs(value) < 1e21:
        return str(int(value))
    digits = repr(value)
    mantissa, _, exponent = digits.partition("e")
    return digits if not exponent else f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def number_form(value):
    return None if isinstance(value, (bool, str)) else float(value)


def how_many(batches):
    """How many events count: copies under one `event_id` on a site and day are one."""
    return len({name_of(Event(raw, False)) for batch in batches for raw in batch.events})


def name_of(event):
    return (event.site, event.day, event.event_id or event.number)


def counting(batches, stored):
    """The events that count, each with what is taken from its stored self. `stored` is the list of /events.json."""
    by_number = {event["n"]: event for event in stored}
    seen, found = set(), []
    for batch in batches:
        for raw in batch.events:
            event = Event(raw, "Sec-GPC" in batch.headers)
            name = name_of(event)
            if name in seen:
                continue
            seen.add(name)
            if event.number not in by_number:
                raise SystemExit(f"event {event.number} is not stored: {raw}")
            event.take(by_number.pop(event.number), raw)
            found.append(event)
    if by_number:
        raise SystemExit(f"stored and not to be counted: {list(by_number.values())[:3]}")
    return found


def misgrouped(counted):
    """Errors whose fingerprint is not one with their group, which the generator knows (`group`)."""
    found, names = [], {}
    for event in counted:
        if "group" in event.values:
            kind = event.values["error_type"][0]
            group = (kind, event.values["group"][0], event.values["path"][0] if kind == "http" else None)
            fingerprint = event.values.get("fingerprint", [None])[0]
            if names.setdefault(group, fingerprint) != fingerprint or names.setdefault(fingerprint, group) != group:
                found.append(f"event {event.number}: {group} has the fingerprint {fingerprint}, before {names[group]}")
    return found
