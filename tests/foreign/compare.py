"""Whether an answer is the recount's, by the bounds that metrics.md states."""

import math
import re

import metrics


def same(metric, expected, got):
    """Exact for what is exact, within the stated bound for what is not; nothing and 0 are one for sums."""
    if expected is None or got is None:
        nothing_is_zero = not re.match(r"(avg|min|max|p\d+)\(", metric)
        return expected == got or (nothing_is_zero and not expected and not got and metric not in RATIOS)
    share, above = metrics.approximate(metric)
    if isinstance(expected, int) and abs(expected) <= above:
        return expected == got
    return math.isclose(expected, got, rel_tol=share, abs_tol=1e-9)


RATIOS = {"bounce_rate", "visit_duration", "views_per_visit", "exit_rate", "dwell_time", "time_on_page", "scroll_depth", "conversion_rate", "group_conversion_rate", "percentage"}


def has_something(values):
    return any(values)


def query_differences(question, expected, answered):
    """What differs between the recount and the answer to POST /query, in words."""
    got, found = {}, []
    for row in answered["results"]:
        key = tuple(row.get("dimensions", []))
        if key in got:
            found.append(f"row {key} comes twice")
        got[key] = row["metrics"]
    for key in sorted(expected.keys() | got.keys(), key=repr):
        here, there = expected.get(key), got.get(key)
        if here is None or there is None:
            if has_something(here or there):
                found.append(f"row {key}: expected {here}, got {there}")
            continue
        for metric, mine, theirs in zip(question["metrics"], here, there):
            if not same(metric, mine, theirs):
                found.append(f"row {key}, {metric}: expected {mine}, got {theirs}")
    return found
