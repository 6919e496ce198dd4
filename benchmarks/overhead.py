"""The cost of a search above training: tunefront against a plain Keras loop, Optuna and KerasTuner.

Every contender trains the same ten candidates for nine epochs on the digits, in a process of its own
that starts with nothing loaded; the whole process is timed. A round runs them all, one after another,
and ratios are formed within a round, because machines are noisy. A round waits
until the machine is quiet, for a while, and the load at which it began is told with the ratios.

    python benchmarks/overhead.py [--rounds 5] [--only "tunefront, 1 slot" "tunefront, 2 slots"]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

SPEC_PATH = Path(__file__).with_name("overhead.toml")
PLAIN = "plain Keras loop"
QUIET_LOAD = 0.5  # processes that run or wait to, for each core


def candidates() -> list[Any]:
    """Return the candidates that tunefront draws for this spec; each trial's sampler is seeded by its number."""
    import optuna

    from tunefront.search.sampling.samplers import make_sampler
    from tunefront.search.spec.file import read_spec

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    spec = read_spec(SPEC_PATH)
    drawn = []
    for number in range(spec.trials):
        study = optuna.create_study(sampler=make_sampler(spec.sampler, spec.seed, number))
        drawn.append(spec.parsed_space().suggest(study.ask()))
    return drawn


def load(metric: str = "by name") -> tuple[Any, Any, Any]:
    """Load the spec, the dataset, and a function from a candidate to its compiled model.

    Keras's guides give a metric by its name, with which TensorFlow traces the first step twice.
    tunefront compiles the metric as an object.
    """
    from tunefront.search.data.cache import prepare
    from tunefront.search.spec.file import read_spec
    from tunefront.search.trial import trainable

    spec = read_spec(SPEC_PATH)
    dataset = prepare(spec.data, spec.seed)
    space = spec.parsed_space()

    def build(candidate: Any) -> Any:
        model = trainable.build(space, candidate, dataset, spec.training, seed=0).trained
        if metric == "by name":
            model.compile(optimizer=model.optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    return spec, dataset, build


def fit_arguments(dataset: Any) -> dict[str, Any]:
    """Return the arguments that every contender gives to `fit`."""
    train, validation = dataset.split("train"), dataset.split("validation")
    return {
        "x": train.images,
        "y": train.labels,
        "validation_data": (validation.images, validation.labels),
        "validation_batch_size": 256,
        "verbose": 0,
    }


def plain_loop(metric: str = "by name") -> None:
    """Train all candidates in a plain loop, as a person would write it."""
    spec, dataset, build = load(metric)
    for candidate in candidates():
        history = build(candidate).fit(
            **fit_arguments(dataset), epochs=spec.training.epochs, batch_size=candidate.batch_size
        )
        print(max(history.history["val_accuracy"]))


def optuna_callback() -> None:
    """Run Optuna in one process on SQLite, with its Keras pruning callback and nothing pruned."""
    import optuna
    from optuna_integration import KerasPruningCallback

    spec, dataset, build = load()
    drawn = candidates()

    def objective(trial: optuna.Trial) -> float:
        candidate = drawn[trial.number]
        trial.suggest_int("candidate", trial.number, trial.number)
        history = build(candidate).fit(
            **fit_arguments(dataset),
            epochs=spec.training.epochs,
            batch_size=candidate.batch_size,
            callbacks=[KerasPruningCallback(trial, "val_accuracy")],
        )
        return float(max(history.history["val_accuracy"]))

    study = optuna.create_study(storage="sqlite:///optuna.db", direction="maximize", pruner=optuna.pruners.NopPruner())
    study.optimize(objective, n_trials=len(drawn))


def keras_tuner() -> None:
    """Run KerasTuner's grid over the ten candidates."""
    import keras_tuner

    spec, dataset, build = load()
    drawn = candidates()

    class Ten(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: Any) -> Any:
            return build(drawn[hp.Int("candidate", 0, len(drawn) - 1)])

        def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
            return model.fit(*args, batch_size=drawn[hp.get("candidate")].batch_size, **kwargs)

    tuner = keras_tuner.GridSearch(Ten(), objective="val_accuracy", max_trials=len(drawn), directory="tuner")
    tuner.search(**fit_arguments(dataset), epochs=spec.training.epochs)


def tunefront(workers: int) -> None:
    """Run `tunefront run` as a person calls it, including its report."""
    arguments = ["run", str(SPEC_PATH), "--workers", str(workers), "--storage", "sqlite:///study.db"]
    subprocess.run([sys.executable, "-m", "tunefront", *arguments], check=True)


CONTENDERS: dict[str, Callable[[], None]] = {
    PLAIN: plain_loop,
    "plain Keras loop, metric as an object": lambda: plain_loop("as an object"),
    "Optuna, Keras pruning callback, SQLite": optuna_callback,
    "KerasTuner": keras_tuner,
    "tunefront, 1 slot": lambda: tunefront(1),
    "tunefront, 2 slots": lambda: tunefront(2),
}


def measure(name: str) -> float:
    """Return the seconds of a contender's whole process, run in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), "--contender", name],
            cwd=folder,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - start
    if result.returncode != 0:
        raise SystemExit(f"{name} failed:\n{result.stdout}\n{result.stderr}")
    return seconds


def load_a_core() -> float:
    """Return the average number of processes that ran or waited to in the last minute, for each core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def await_quiet(most_seconds: float) -> float:
    """Wait until the machine is quiet, or so long, and return the load then."""
    deadline = time.monotonic() + most_seconds
    while (load_now := load_a_core()) >= QUIET_LOAD and time.monotonic() < deadline:
        time.sleep(1)
    return load_now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, help="these, and the plain loop; all if left out")
    parser.add_argument("--patience", type=float, default=180, help="seconds that a round waits for a quiet machine")
    parser.add_argument("--contender", choices=CONTENDERS, help="run one contender once, untimed")
    arguments = parser.parse_args()
    if arguments.contender:
        CONTENDERS[arguments.contender]()
        return
    load()  # prepares the dataset, so that its time counts for no contender
    names = [name for name in CONTENDERS if name == PLAIN or name in (arguments.only or CONTENDERS)]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    loads = []
    for number in range(arguments.rounds):
        loads.append(await_quiet(arguments.patience))
        print(f"round {number + 1} begins at a load of {loads[-1]:.2f} a core", file=sys.stderr, flush=True)
        for name in names:
            seconds[name].append(measure(name))
            print(f"round {number + 1}: {name}: {seconds[name][-1]:.1f} s", file=sys.stderr, flush=True)
    print_table(seconds, loads)


def print_table(seconds: dict[str, list[float]], loads: list[float]) -> None:
    plain = seconds[PLAIN]
    print(f"{len(plain)} rounds, {os.cpu_count()} CPU cores, {platform.machine()}, Python {platform.python_version()}")
    packages = ["keras", "tensorflow", "optuna", *(["keras-tuner"] if "KerasTuner" in seconds else [])]
    print(", ".join(f"{name} {version(name)}" for name in packages))
    n_quiet = sum(load < QUIET_LOAD for load in loads)
    shown = "" if n_quiet == len(loads) else ": NOT SHOWN, the machine had other work"
    told = ", ".join(f"{load:.2f}" for load in loads)
    print(f"{n_quiet} of {len(loads)} rounds began at a load below {QUIET_LOAD} a core ({told}){shown}")
    print("\n| contender | seconds, median | ratio to the plain loop: median (least to most) |\n|---|---|---|")
    for name, values in seconds.items():
        ratios = [value / base for value, base in zip(values, plain, strict=True)]
        print(
            f"| {name} | {statistics.median(values):.1f} "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |"
        )


if __name__ == "__main__":
    main()
