"""The parts of a spec on choosing and stopping: samplers, pruners and [stop], and what fits together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.search.spec.choice_text import COUNTABLE, SINGLE, fails, read
from tests.search.spec.spec_text import MINIMAL
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.tables import (
    BohbTable,
    CmaEsTable,
    HyperbandTable,
    HypervolumeTable,
    MedianTable,
    NoPrunerTable,
    ParetoTable,
    PatientTable,
    PbtTable,
    PercentileTable,
    QmcTable,
    StopTable,
    ThresholdTable,
    TpeTable,
)

DROPPING = "memory = false and time = false in [objectives]"


@pytest.mark.parametrize(
    ("text", "table"),
    [
        (MINIMAL, TpeTable()),
        (MINIMAL + "[sampler]\nn_startup_trials = 5\n", TpeTable(n_startup_trials=5)),
        (MINIMAL + '[sampler]\nname = "hypervolume"\n', HypervolumeTable(n_startup_trials=10, n_candidates=400)),
        (MINIMAL + '[sampler]\nname = "qmc"\nsequence = "halton"\n', QmcTable(sequence="halton")),
        (SINGLE + '[sampler]\nname = "cmaes"\npopulation_size = 6\n', CmaEsTable(population_size=6)),
        (SINGLE + '[sampler]\nname = "bohb"\nn_startup_trials = 3\n', BohbTable(n_startup_trials=3)),
        (MINIMAL + '[sampler]\nname = "pbt"\ninterval = 3\n', PbtTable(interval=3)),
    ],
)
def test_a_sampler_is_read_with_its_settings(tmp_path: Path, text: str, table: Any) -> None:
    assert read(text, tmp_path).sampler == table


@pytest.mark.parametrize(
    ("text", "table"),
    [
        (MINIMAL, ParetoTable()),
        (SINGLE, ParetoTable()),
        (MINIMAL + "[pruner]\nfront_loss = 0.2\n", ParetoTable(front_loss=0.2)),
        (MINIMAL + '[pruner]\nname = "none"\n', NoPrunerTable()),
        (SINGLE + '[pruner]\nname = "median"\nn_warmup_steps = 2\n', MedianTable(n_warmup_steps=2)),
        (SINGLE + '[pruner]\nname = "hyperband"\n', HyperbandTable()),
        (SINGLE + '[sampler]\nname = "bohb"\n', HyperbandTable()),
        (MINIMAL + '[sampler]\nname = "pbt"\n', NoPrunerTable()),
        (
            SINGLE + '[sampler]\nname = "bohb"\n[pruner]\nname = "hyperband"\nreduction_factor = 2\n',
            HyperbandTable(reduction_factor=2),
        ),
        (SINGLE + '[pruner]\nname = "threshold"\nlower = 0.3\n', ThresholdTable(lower=0.3)),
        (
            SINGLE + '[pruner]\nname = "patient"\npatience = 3\nwrapped = { name = "percentile", percentile = 40.0 }\n',
            PatientTable(patience=3, wrapped=PercentileTable(percentile=40.0)),
        ),
    ],
)
def test_a_pruner_is_read_with_its_settings(tmp_path: Path, text: str, table: Any) -> None:
    assert read(text, tmp_path).pruner == table


@pytest.mark.parametrize(
    ("text", "key", "fragments"),
    [
        (MINIMAL + "[sampler]\ngrp = true\n", "sampler.grp", ["no such key", "Did you mean 'group'?"]),
        (
            MINIMAL + '[sampler]\nname = "random"\ngroup = true\n',
            "sampler.group",
            ["no such key", "Known: repeats, name"],
        ),
        (MINIMAL + "[sampler]\nmultivariate = false\n", "sampler", ["group = false too"]),
        (
            MINIMAL + '[sampler]\nname = "nsga2"\npopulation_size = 1\n',
            "sampler.population_size",
            ["1 is not possible"],
        ),
        (MINIMAL + '[sampler]\nname = "cmaes"\n', "sampler.name", ["one objective", "has 3", '"tpe"', DROPPING]),
        (MINIMAL + '[sampler]\nname = "bohb"\n', "sampler.name", ["accuracy alone", '"pareto"', DROPPING]),
        (
            MINIMAL + '[objectives]\naccuracy = false\ntime = false\n[sampler]\nname = "bohb"\n',
            "sampler.name",
            ["accuracy alone", "has memory", "accuracy as the only one"],
        ),
        (
            SINGLE + '[sampler]\nname = "bohb"\n[pruner]\nname = "median"\n',
            "pruner.name",
            ["TPE with Hyperband", "is 'median'", "leave [pruner] out"],
        ),
        (
            MINIMAL + '[objectives]\naccuracy = false\n[sampler]\nname = "pbt"\n',
            "sampler.name",
            ["compares members by accuracy", "leave accuracy in"],
        ),
        (
            MINIMAL + '[sampler]\nname = "pbt"\n[pruner]\nname = "pareto"\n',
            "pruner.name",
            ["'pareto' would stop them", "leave [pruner] out"],
        ),
        (MINIMAL + '[sampler]\nname = "pbt"\ninterval = 12\n', "sampler.interval", ["Write at most 11"]),
        (MINIMAL + '[sampler]\nname = "pbt"\npopulation = 31\n', "sampler.population", ["trials = 30", "at most 30"]),
        (MINIMAL + '[sampler]\nname = "pbt"\nquantile = 0.6\n', "sampler.quantile", ["0.6 is not possible"]),
        (
            MINIMAL
            + '[sampler]\nname = "pbt"\n[space]\noptimizer = "adam"\naugmentation = "none"\n'
            + "[space.adam]\nlearning_rate = 0.01\n[space.plain_cnn]\ndropout = 0.1\n",
            "sampler.name",
            ["learning rates, weight decay, dropout", "give one a range in [space]", '"random"'],
        ),
        (
            MINIMAL.replace('source = "digits"', 'source = "digits"\nfolds = 3') + '[sampler]\nname = "pbt"\n',
            "data.folds",
            ["the weights of one training", "leave folds out"],
        ),
        (MINIMAL + '[sampler]\nname = "grid"\n', "space.sgd.learning_rate", ["'grid'", "0.001 to 0.3 is continuous"]),
        (MINIMAL + '[pruner]\nname = "median"\n', "pruner.name", ["one objective", "has 3", '"pareto"', DROPPING]),
        (
            MINIMAL + '[objectives]\naccuracy = false\nmemory = false\n[pruner]\nname = "median"\n',
            "pruner.name",
            ["learning curves", "time has none", '"pareto"'],
        ),
        (
            SINGLE
            + '[space]\noptimizer = ["adam", "sgd"]\nplain_cnn = { n_blocks = 1, dropout = 0.1 }\n'
            + '[sampler]\nname = "cmaes"\n',
            "sampler.name",
            ["numbers that every candidate has", "Write ranges"],
        ),
        (
            SINGLE + '[training]\nepochs = 3\n[pruner]\nname = "hyperband"\nmin_resource = 4\n',
            "pruner.min_resource",
            ["with 4 of training.epochs = 3 no trial would be judged", "Write at most 2"],
        ),
        (
            SINGLE + '[training]\nepochs = 5\n[pruner]\nname = "median"\nn_warmup_steps = 4\n',
            "pruner.n_warmup_steps",
            ["Write at most 3"],
        ),
        (
            SINGLE + '[training]\nepochs = 5\n[pruner]\nname = "patient"\npatience = 1\n'
            'wrapped = { name = "successive_halving", min_resource = 5 }\n',
            "pruner.wrapped.min_resource",
            ["Write at most 4"],
        ),
        (SINGLE + '[pruner]\nname = "patient"\n', "pruner.patience", ["missing"]),
        (
            SINGLE + '[training]\nepochs = 10\n[pruner]\nname = "patient"\npatience = 8\n',
            "pruner.patience",
            ["with 8 of training.epochs = 10", "Write at most 7"],
        ),
        (
            SINGLE + '[training]\nepochs = 10\n[pruner]\nname = "wilcoxon"\nn_startup_steps = 10\n',
            "pruner.n_startup_steps",
            ["Write at most 9"],
        ),
        (
            SINGLE + '[training]\nepochs = 2\n[pruner]\nname = "median"\nn_warmup_steps = 1\n',
            "pruner.n_warmup_steps",
            ["Write at most 0"],
        ),
        (
            SINGLE + '[training]\nepochs = 20\n[pruner]\nname = "successive_halving"\nmin_early_stopping_rate = 3\n',
            "pruner.min_early_stopping_rate",
            ["3 is too much for training.epochs = 20", "Write at most 2"],
        ),
        (
            MINIMAL + "[training]\nepochs = 10\n[pruner]\nmin_epochs = 10\n",
            "pruner.min_epochs",
            ["with 10 of training.epochs = 10", "Write at most 9"],
        ),
        (MINIMAL + "[pruner]\nfront_loss = 0.6\n", "pruner.front_loss", ["0.6 is not possible"]),
        (
            SINGLE + '[pruner]\nname = "patient"\npatience = 1\nwrapped = { name = "median", n_warm = 1 }\n',
            "pruner.wrapped.n_warm",
            ["no such key", "n_warmup_steps"],
        ),
        (SINGLE + '[pruner]\nname = "patient"\npatience = 1\nwrapped = {}\n', "pruner.wrapped.name", ["missing"]),
        (SINGLE + '[pruner]\nname = "threshold"\n', "pruner", ["lower = 0.5"]),
        (SINGLE + '[pruner]\nname = "threshold"\nlower = 0.5\nupper = 0.1\n', "pruner", ["exchange them"]),
        (SINGLE + '[pruner]\nname = "threshold"\nlower = nan\n', "pruner.lower", ["nan", "finite number"]),
        (MINIMAL + '[stop]\ntime_limit = "2 apples"\n', "stop.time_limit", ["'2 apples'", "h)"]),
        (MINIMAL + "[stop]\npatience = 0\n", "stop.patience", ["0 is not possible"]),
        (MINIMAL + "[stop]\npatient = 3\n", "stop.patient", ["Did you mean 'patience'?"]),
    ],
)
def test_errors_name_key_value_and_remedy(tmp_path: Path, text: str, key: str, fragments: list[str]) -> None:
    message = fails(text, tmp_path)
    assert message.startswith(f"{key}: ")
    for fragment in fragments:
        assert fragment in message


def test_a_spec_with_all_of_it_is_the_same_after_the_store(tmp_path: Path) -> None:
    text = (
        SINGLE
        + COUNTABLE
        + '[sampler]\nname = "grid"\n[pruner]\nname = "patient"\npatience = 2\nwrapped = { name = "median" }\n'
        + '[stop]\ntime_limit = "2 h"\npatience = 20\n[[start]]\nbatch_size = 64\n'
    )
    spec = read(text, tmp_path)
    assert spec.stop == StopTable(time_limit=7200.0, patience=20)
    again = StudySpec.from_json(json.loads(json.dumps(spec.as_json())))
    assert again.as_json() == spec.as_json()
    assert (again.sampler, again.pruner, again.start) == (spec.sampler, spec.pruner, spec.start)


def test_every_whole_number_of_a_spec_has_an_upper_end() -> None:
    """A number without one could ask for more memory or time than there is, once the study runs."""
    assert list(_unbounded(StudySpec.model_json_schema(), ())) == []


def _unbounded(schema: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    ends = {"maximum", "exclusiveMaximum", "const", "enum"}
    if isinstance(schema, dict) and schema.get("type") == "integer" and not ends & set(schema):
        yield from () if "image_size" in path else [path]  # a function of its own checks that
    for name, inner in (
        schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    ):
        yield from _unbounded(inner, (*path, str(name)))
