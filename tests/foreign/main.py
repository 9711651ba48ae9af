"""Random questions, posed over HTTP and recounted with DuckDB: see README.md in this folder.

Two worlds, one whose events arrive in order and one shuffled, each asked while its days are open and again when they are
sealed. While they are open, visits are provisional in the order of arrival: the shuffled one is then not asked for them.
"""

import argparse
import collections
import datetime
import pathlib
import random

import events
import funnels
import items
import normal
import questions
import reports
import visits
from server import Server

# What is asked by which route, and how often.
KINDS = {
    "/query": (questions.Asker.query, 10),
    "/tock.json": (items.tock, 3),
    "/top.json": (items.top, 2),
    "/times.json": (reports.times, 1),
    "/errors.json": (reports.errors, 1),
    "/flows.json": (reports.flows, 1),
    "/funnels.json": (funnels.funnel, 2),
    "/retention.json": (reports.retention, 1),
    "/recommendations/{id}.json": (reports.recommendations, 1),
}
OF_VISITS = (reports.flows, reports.recommendations)
BINARY = pathlib.Path(__file__).parents[2] / "target/debug/metronome"


def arguments():
    given = argparse.ArgumentParser(description="random questions, recounted by other code")
    given.add_argument("--questions", type=int, default=200)
    given.add_argument("--events", type=int, default=3000, help="of each of the two worlds")
    given.add_argument("--seed", type=int, default=None)
    given.add_argument("--today", type=datetime.date.fromisoformat, default=datetime.datetime.now(datetime.timezone.utc).date(), help="the last day with events")
    given.add_argument("--binary", default=BINARY)
    given.add_argument("--url", help="an empty server that was started with the metronome.toml of this folder: one world, in order")
    given.add_argument("--only", nargs="+", choices=list(KINDS), default=list(KINDS), help="routes that are asked")
    given.add_argument("--failures", type=int, default=10, help="how many are shown")
    return given.parse_args()


class Tally:
    """What was asked and what differed."""

    def __init__(self, shown_max):
        self.asked, self.failed, self.left_out, self.shown_max = collections.Counter(), collections.Counter(), set(), shown_max

    def take(self, server, asked, phase):
        """Poses one question."""
        status, answer = server.call(asked.method, asked.path, asked.body)
        self.asked[asked.route] += 1
        differences = asked.judge(answer) if status == 200 else [f"{status}: {answer}"]
        if differences:
            self.failed[asked.route] += 1
            if self.failed.total() <= self.shown_max:
                print(f"\ndiffers ({phase}): {server.curl(asked.method, asked.path, asked.body)}")
                print("\n".join(f"  {line}" for line in differences[:5]))

    def fails(self, what):
        self.failed[what] += 1
        print(f"\n{what}")

    def print(self):
        for route, count in sorted(self.asked.items()):
            print(f"{route:32} {count:6} asked, {self.failed[route]} differ")
        for route in sorted(self.left_out):
            print(f"{route:32} not served: left out")


def world(given, seed, shuffled, tally):
    """Posts one world's events, asks a quarter of the questions while its days are open, and another when they are sealed."""
    batches = events.generate(seed, given.today, given.events, shuffled)
    with Server(given.binary, given.url) as server:
        server.post_events(batches)
        for phase in ("open", "sealed"):
            if phase == "sealed":
                server.seal()
            stored = server.all_stored(normal.how_many(batches))
            counted = normal.counting(batches, stored)
            sql = visits.load(counted)
            final = phase == "sealed" or not shuffled
            for line in normal.misgrouped(counted)[:5] + (visits.differences(sql, stored) if final else [])[:5]:
                tally.fails(f"stored ({phase}): {line}")
            dice = random.Random(f"{seed} {shuffled} {phase}")
            questioner(server, questions.Asker(dice, sql, events.days(given.today), final, "where" in server.routes()["/tock.json"]), given, tally, phase)


def questioner(server, asker, given, tally, phase):
    """Poses questions of every kind that the server has."""
    routes = server.routes()
    tally.left_out |= set(given.only) - routes.keys()
    kinds = {kind: weight for route, (kind, weight) in KINDS.items() if route in routes and route in given.only and (asker.in_order or kind not in OF_VISITS)}
    for _ in range(given.questions // 4):
        kind = asker.dice.choices(list(kinds), list(kinds.values()))[0]
        tally.take(server, kind(asker), phase)


def main():
    given = arguments()
    seed = given.seed if given.seed is not None else random.randrange(1 << 32)
    print(f"seed {seed}")
    tally = Tally(given.failures)
    for shuffled in (False,) if given.url else (False, True):
        world(given, seed, shuffled, tally)
    tally.print()
    raise SystemExit(1 if tally.failed.total() else 0)


main()
