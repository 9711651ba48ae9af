"""Draws what bench/race and bench/soak measured: target/race/*.json → docs/race.svg, docs/soak.svg.

usage: plot.py race|soak
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

FOLDER = pathlib.Path("target/race")
# The same file for the same figures.
pyplot.rcParams.update({"svg.hashsalt": "metronome", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 8})
pyplot.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
WITHOUT_DATE = {"metadata": {"Date": None}}

RACE = [
    ("taken", "taken, events/s"),
    ("readable", "readable, events/s"),
    ("hot_sealed", "a hot item, sealed, ms"),
    ("cold_sealed", "a cold item, sealed, ms"),
    ("bytes_sealed", "bytes an event, sealed"),
    ("seal_month", "sealing a million, s"),
]
COLOURS = {"Metronome": "#c0392b", "VictoriaLogs": "#2e86c1", "OpenSearch": "#7d8a97", "DuckDB": "#d4ac0d"}

SOAK = [
    ("memory, MiB", ["memory_mib"]),
    ("events/s taken", ["taken_per_s"]),
    ("/tick, ms", ["tick_p50_ms", "tick_p99_ms"]),
    ("/tock, ms", ["tock_p50_ms", "tock_p99_ms"]),
    ("seen after, ms", ["seen_after_ms"]),
    ("disk, MiB", ["store_mib", "journal_mib"]),
]


def panels(count):
    """Axes for so many small plots, three in a row."""
    figure, axes = pyplot.subplots((count + 2) // 3, 3, figsize=(9, 2.2 * ((count + 2) // 3)), layout="constrained")
    return figure, list(axes.flat)


def race():
    """One panel a measure over how many events there were: the cost curve."""
    runs = [json.loads(path.read_text()) for path in FOLDER.glob("[0-9]*.json")]
    runs.sort(key=lambda run: run["events"])
    figure, axes = panels(len(RACE))
    for axis, (name, title) in zip(axes, RACE):
        rows = [(run["events"], row["figures"]) for run in runs for row in run["rows"] if row["name"] == name]
        for who, colour in COLOURS.items():
            points = [(events, figures[who]) for events, figures in rows if who in figures]
            if points:
                axis.plot(*zip(*points), marker="o", markersize=3, color=colour, label=who)
        axis.set_title(title, loc="left")
        axis.set_xscale("log")
        # Times of questions lie too far apart for one scale.
        if title.endswith(", ms"):
            axis.set_yscale("log")
            axis.set_ylim(0.1, 10_000)
            axis.yaxis.set_major_formatter("{x:g}")
        else:
            axis.set_ylim(bottom=0)
            axis.yaxis.set_major_formatter("{x:,.0f}")
        axis.set_xticks([run["events"] for run in runs], [f"{run['events']:,}" for run in runs], minor=False)
        axis.minorticks_off()
    by_label = {}
    for axis in axes:
        by_label.update(zip(*reversed(axis.get_legend_handles_labels())))
    figure.legend(by_label.values(), by_label.keys(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig("docs/race.svg", **WITHOUT_DATE)


def soak():
    """One panel a measure over time."""
    run = json.loads((FOLDER / "soak.json").read_text())
    minutes = [sample["at_s"] / 60 for sample in run["samples"]]
    figure, axes = panels(len(SOAK))
    for axis, (title, names) in zip(axes, SOAK):
        for name, colour in zip(names, ["#2e86c1", "#c0392b"]):
            label = name.removesuffix("_ms").removesuffix("_mib").split("_")[-1]
            axis.plot(minutes, [sample[name] for sample in run["samples"]], linewidth=0.8, color=colour, label=label)
        axis.set_title(title, loc="left")
        axis.set_ylim(bottom=0)
        axis.set_xlabel("minutes")
        if len(names) > 1:
            axis.legend(frameon=False)
    figure.savefig("docs/soak.svg", **WITHOUT_DATE)


{"race": race, "soak": soak}[sys.argv[1]]()
