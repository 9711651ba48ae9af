"""Funnels: asked, and recounted. SQL says which events match which step; the furthest run of each actor is searched for here."""

import collections
import statistics

import filters
import items
import metrics
from ask import Ask, with_parameters
from compare import same

WINDOWS = {"1m": 60_000, "30m": 1_800_000, "2h": 7_200_000, "1d": 86_400_000, None: 1 << 60}
# What one of each is, and where an event has none.
ACTORS = {
    "visitor": ("(e.day, e.person)::TEXT", "e.person IS NOT NULL"),
    "visit": ("e.visit::TEXT", "e.visit IS NOT NULL"),
    "user": ("(SELECT any_value(text) FROM kv WHERE kv.n = e.n AND key = 'user')", "true"),
}


def funnel(asker):
    """Two to four steps, with or without a window, `strict`, and over whom."""
    dice = asker.dice
    over = dice.choice([name for name in ACTORS if asker.in_order or name != "visit"])
    body = {"steps": [asker.filter(["path", "action", "id", "browser"], 2) for _ in range(dice.randrange(2, 5))], "over": over}
    window = dice.choice(list(WINDOWS))
    if window:
        body["window"] = window
    if dice.random() < 0.4:
        body["strict"] = True
    given = {key: value for key, value in items.common(asker).items() if key != "where"}
    question = items.asked(given)

    def judge(answer):
        mine = steps_of(asker.sql, question, body)
        theirs = [(step["reached"], step["rate"], step["rate_from_previous"], step["median_ms"]) for step in answer["steps"]]
        return [f"step {at + 1}: expected {here}, got {there}" for at, (here, there) in enumerate(zip(mine, theirs)) if not step_is(here, there)]

    return Ask("/funnels.json", "POST", with_parameters("/funnels.json", given), judge, body)


def step_is(here, there):
    return here[0] == there[0] and all(same("rate", *pair) or pair == (None, None) for pair in list(zip(here, there))[1:])


def steps_of(sql, question, body):
    """Per step: reached, rate from the first, rate from the one before (none for the first), median ms from it."""
    actor, has = ACTORS[body["over"]]
    matching = ", ".join(filters.condition(step, {}) for step in body["steps"])
    rows = sql.execute(
        f"SELECT {actor} AS actor, ts, action = 'view', [{matching}] FROM e WHERE {has} AND actor IS NOT NULL AND {metrics.asked(question, metrics.AT, {})} ORDER BY ord"
    ).fetchall()
    of_actor = collections.defaultdict(list)
    for who, *event in rows:
        of_actor[who].append(event)
    runs = [best_run(seen, len(body["steps"]), WINDOWS[body.get("window")], body.get("strict", False)) for seen in of_actor.values()]
    reached = [sum(len(run) > step for run in runs) for step in range(len(body["steps"]))]
    found = []
    for step, count in enumerate(reached):
        took = [run[step] - run[step - 1] for run in runs if len(run) > step > 0]
        before = reached[max(0, step - 1)]
        found.append((count, metrics.ratio(count, reached[0]), metrics.ratio(count, before) if step else None, statistics.median(took) if took else None))
    return found


def best_run(seen, steps, window, strict):
    """The times of the furthest run: of those the first begun, each step at its earliest event that lets the run go on."""
    best = []
    for begin, (moment, _, matches) in enumerate(seen):
        if matches[0] and len(best) < steps:
            run = longest(seen, begin, 1, steps, moment + window, strict)
            best = [moment, *run] if len(run) + 1 > len(best) else best
    return best


def longest(seen, at, step, steps, last, strict):
    """The rest of a run whose event for the step before is `at`."""
    best = []
    for next_at in range(at + 1, len(seen)):
        moment, view, matches = seen[next_at]
        if moment > last or step == steps or len(best) == steps - step:
            break
        if matches[step]:
            run = [moment, *longest(seen, next_at, step + 1, steps, last, strict)]
            best = run if len(run) > len(best) else best
        if strict and view:
            break
    return best
