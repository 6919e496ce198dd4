"""The first paint of the dashboard's live page of a study with many trials, in a real browser.

    .venv/bin/python benchmarks/dashboard.py [--trials 2000] [--rounds 5]

A study is made up in a temporary store: three objectives, eleven parameters, curves of 12 epochs, half of the trials
stopped early. The dashboard is served by a process of its own, and the page is asked for once, so that it is made.
Then Chromium opens it in a new context each round. First paint and first contentful paint are those of
PerformancePaintTiming, from the start of the navigation.

It needs playwright and Chromium (Debian: apt-get install chromium).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import optuna
from playwright.sync_api import sync_playwright

from tunefront.objectives.measures import MEASURES
from tunefront.storage import curves, queue, studies
from tunefront.storage.curves import Epoch
from tunefront.storage.database.connection import open_store
from tunefront.storage.outcomes import Outcome

_OBJECTIVES = {"accuracy": "accuracy", "memory": "model_bytes", "time": "train_seconds"}
_EPOCHS = 12
_SERVE = """
import sys
from tunefront.reports.dashboard.dashboard import serve
from tunefront.storage.database.connection import open_store
serve(open_store(sys.argv[1], is_writer=True), port=0)
"""
_PAINTS = """() => ({
    ...Object.fromEntries(performance.getEntriesByType('paint').map((each) => [each.name, each.startTime])),
    'page loaded, its scripts run': performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
})"""


def main() -> None:
    """Make the study, serve it, open it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--storage", default="", help="a folder to keep the made-up study in, and to use it again")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="tunefront-") as name:
        folder = Path(arguments.storage or name)
        url = f"sqlite:///{folder.resolve() / 'tunefront.db'}"
        if not (folder / "tunefront.db").exists():
            folder.mkdir(parents=True, exist_ok=True)
            make_study(url, arguments.trials)
        with subprocess.Popen(
            [sys.executable, "-c", _SERVE, url], stdout=subprocess.PIPE, text=True, cwd=name
        ) as server:
            try:
                assert server.stdout is not None
                measure(server.stdout.readline().split()[1], arguments.trials, arguments.rounds)
            finally:
                server.kill()


def make_study(url: str, n_trials: int) -> None:
    """Fill a store with a study whose accuracy grows with size, with noise; every other trial was stopped early."""
    store = open_store(url, is_writer=True)
    spec = {
        "name": "made-up",
        "seed": 1,
        "trials": n_trials,
        "objectives": {axis: {"measure": measure} for axis, measure in _OBJECTIVES.items()},
        "training": {"epochs": _EPOCHS},
    }
    facts = {"source": "digits", "n_classes": 10, "n_train": 10_000, "n_validation": 5000, "n_test": 5000}
    facts |= {"class_names": [str(number) for number in range(10)], "image_shape": [28, 28, 1]}
    directions = [MEASURES[name].direction for name in _OBJECTIVES.values()]
    study = studies.create(store, spec["name"], spec, facts, directions, list(_OBJECTIVES.values()))
    drawn = random.Random(1)
    for _ in range(n_trials):
        with store.exclusively():
            leased = queue.lease_next(study, 10**6, "worker", "cpu0")
        assert leased is not None
        end_trial(study, leased, drawn)


def end_trial(study: studies.OpenStudy, leased: tuple, drawn: random.Random) -> None:
    """Give a trial parameters, a curve and an end."""
    lease, trial = leased
    size = 10 ** trial.suggest_float("plain_cnn.log_filters", 3.0, 6.0)
    trial.suggest_categorical("optimizer.name", ["adam", "sgd", "lion", "nadam"])
    trial.suggest_float("optimizer.learning_rate", 1e-4, 1e-1, log=True)
    for name in ("n_blocks", "kernel_size", "dense_units", "batch_size"):
        trial.suggest_int(f"plain_cnn.{name}", 1, 5)
    for name in ("dropout", "weight_decay", "label_smoothing"):
        trial.suggest_float(f"plain_cnn.{name}", 0.0, 0.5)
    trial.suggest_categorical("augmentation.level", ["none", "light", "strong"])
    reached = 0.995 - 0.5 * math.exp(-math.log10(size) / 2) - abs(drawn.gauss(0, 0.03))
    is_stopped = lease.number % 2 == 1
    for number in range(1, (4 if is_stopped else _EPOCHS) + 1):
        accuracy = reached * (1 - math.exp(-number / 3))
        curves.append(
            study.store, lease, Epoch(number, accuracy, 0.5, 0.1, {"loss": 1 - accuracy, "val_loss": 1.1 - accuracy})
        )
    seconds = size / 2e4 * drawn.uniform(0.8, 1.6)
    measured = {"accuracy": accuracy, "model_bytes": 4 * size, "train_seconds": seconds, "trial_seconds": seconds + 1}
    measured |= {"weight_bytes": 3.9 * size, "n_parameters": size, "other_slots_busy": 1.0, "load_average": 0.9}
    queue.finish(
        study,
        lease,
        Outcome.PRUNED if is_stopped else Outcome.COMPLETE,
        values=None if is_stopped else [measured[name] for name in _OBJECTIVES.values()],
        measurements=measured,
        reason=f"epoch 4: even at best ({accuracy:.2%}) trial 0 dominates it (90.00 %)" if is_stopped else "",
    )


def measure(url: str, n_trials: int, rounds: int) -> None:
    """Open the live page in new browser contexts, and print when it was painted."""
    began_at = time.monotonic()
    address = f"{url}study/1/"
    while json.load(urllib.request.urlopen(f"{address}version"))["version"] == "none yet":
        time.sleep(0.2)
    made_after = time.monotonic() - began_at
    n_bytes = len(urllib.request.urlopen(address).read())
    paints: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        version = browser.version
        for _ in range(rounds):
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            page = context.new_page()
            page.goto(address)
            for name, milliseconds in page.evaluate(_PAINTS).items():
                paints.setdefault(name, []).append(milliseconds / 1000)
            context.close()
        browser.close()
    print(
        f"{n_trials} trials, {os.cpu_count()} CPU cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"Chromium {version}, Python {platform.python_version()}; page of {n_bytes / 1e6:.1f} MB, made in "
        f"{made_after:.1f} s\n"
    )
    print("| | seconds, median | least to most |\n|---|---|---|")
    for name, seconds in sorted(paints.items()):
        print(f"| {name} | {statistics.median(seconds):.2f} | {min(seconds):.2f} to {max(seconds):.2f} |")


if __name__ == "__main__":
    main()
