"""The parts of a spec on choosing and stopping: samplers, pruners, [[start]] and [stop], and what fits together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tunefront.search.preparation.pretraining import pretraining_candidate
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import check_own_space, read_spec
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
    PretrainTable,
    QmcTable,
    StopTable,
    ThresholdTable,
    TpeTable,
)
from tunefront.spaces.settings import SpaceError

MINIMAL = 'name = "digits"\n[data]\nsource = "digits"\n'
SINGLE = MINIMAL + '[objectives]\naccuracy = "accuracy"\nmemory = false\ntime = false\n'
DROPPING = "memory = false and time = false in [objectives]"
COUNTABLE = (
    '[space]\noptimizer = "adam"\n'
    "[space.adam]\nlearning_rate = [0.001, 0.01]\n"
    "[space.plain_cnn]\ndropout = { low = 0.0, high = 0.4, step = 0.2 }\n"
)
OWN = """
class Mine:
    def suggest(self, trial):
        n_layers = trial.suggest_int("net.layers", 1, 3)
        units = [trial.suggest_int(f"net.units_{layer}", 4, 64) for layer in range(n_layers)]
        return {"units": units, "rate": trial.suggest_float("adam.rate", 0.001, 0.1, log=True)}

    def build(self, settings, input_shape, n_classes):
        raise NotImplementedError
"""


def read(text: str, folder: Path) -> StudySpec:
    path = folder / "study.toml"
    path.write_text(text)
    spec = read_spec(path)
    check_own_space(path, spec)
    return spec


def fails(text: str, folder: Path) -> str:
    with pytest.raises(SpecError) as caught:
        read(text, folder)
    return str(caught.value).removeprefix(f"{folder / 'study.toml'}: ")


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
            "trials = 1\n" + MINIMAL + '[[start]]\noptimizer = "adam"\n[[start]]\noptimizer = "sgd"\n',
            "trials",
            ["1 is fewer than the 2 of [[start]]"],
        ),
        (
            SINGLE + '[pruner]\nname = "patient"\npatience = 1\nwrapped = { name = "median", n_warm = 1 }\n',
            "pruner.wrapped.n_warm",
            ["no such key", "n_warmup_steps"],
        ),
        (SINGLE + '[pruner]\nname = "patient"\npatience = 1\nwrapped = {}\n', "pruner.wrapped.name", ["missing"]),
        (SINGLE + '[pruner]\nname = "threshold"\n', "pruner", ["lower = 0.5"]),
        (SINGLE + '[pruner]\nname = "threshold"\nlower = 0.5\nupper = 0.1\n', "pruner", ["exchange them"]),
        (SINGLE + '[pruner]\nname = "threshold"\nlower = nan\n', "pruner.lower", ["nan", "finite number"]),
        (MINIMAL + "[start]\nbatch_size = 64\n", "start", ["[[start]], with two brackets"]),
        (MINIMAL + '[stop]\ntime_limit = "2 apples"\n', "stop.time_limit", ["'2 apples'", "h)"]),
        (MINIMAL + "[stop]\npatience = 0\n", "stop.patience", ["0 is not possible"]),
        (MINIMAL + "[stop]\npatient = 3\n", "stop.patient", ["Did you mean 'patience'?"]),
        # start candidates
        (MINIMAL + "[[start]]\nbatch_size = 33\n", "start[1].batch_size", ["33", "one of 32, 64, 128"]),
        (MINIMAL + "[[start]]\n[[start]]\nbatch_siz = 32\n", "start[2].batch_siz", ["Did you mean 'batch_size'?"]),
        (MINIMAL + "[[start]]\nbatch_size = [32]\n", "start[1].batch_size", ["not one value"]),
        (MINIMAL + '[[start]]\narchitecture = "VGG16"\n', "start[1].architecture", ["'VGG16'", "'plain_cnn' alone"]),
        (
            MINIMAL + '[[start]]\noptimizer = "adam"\nadam = { learning_rate = 5 }\n',
            "start[1].adam.learning_rate",
            ["5 is not in the space", "0.0001 to 0.01"],
        ),
        (
            MINIMAL + '[[start]]\noptimizer = "adam"\nadam = { rate = 5 }\n',
            "start[1].adam.rate",
            ["no such setting", "learning_rate"],
        ),
        (MINIMAL + "[[start]]\nadam = { learning_rate = 0.001 }\n", "start[1].adam", ['optimizer = "adam" too']),
        (MINIMAL + "[[start]]\nVGG16 = { dropout = 0.1 }\n", "start[1].VGG16", ["no 'VGG16' in the space"]),
        (
            MINIMAL + COUNTABLE + "[[start]]\nplain_cnn = { dropout = 0.3 }\n",
            "start[1].plain_cnn.dropout",
            ["0.3 is not", "steps of 0.2"],
        ),
    ],
)
def test_errors_name_key_value_and_remedy(tmp_path: Path, text: str, key: str, fragments: list[str]) -> None:
    message = fails(text, tmp_path)
    assert message.startswith(f"{key}: ")
    for fragment in fragments:
        assert fragment in message


def test_start_candidates_are_parameters_and_what_is_left_out_is_sampled(tmp_path: Path) -> None:
    text = (
        MINIMAL + COUNTABLE + "[[start]]\n"
        'architecture = "plain_cnn"\nbatch_size = 64\n[start.plain_cnn]\ndropout = 0.4\nfilters = 8\n'
        '[[start]]\n[[start]]\naugmentation = "light"\noptimizer = "adam"\nadam = { learning_rate = 0.01 }\n'
    )
    assert read(text, tmp_path).start_parameters() == [
        {"training.batch_size": 64, "plain_cnn.dropout": 0.4, "plain_cnn.filters": 8},
        {},
        {"augmentation.level": "light", "adam.learning_rate": 0.01},
    ]


@pytest.mark.parametrize("given", ['"net.layers" = 2\n"net.units_1" = 8\n', "net.layers = 2\nnet.units_1 = 8\n"])
def test_start_candidates_of_an_own_space_are_full_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    head = 'space = "mine.py:Mine"\n' + MINIMAL
    assert read(head + f"[[start]]\n{given}", tmp_path).start_parameters() == [{"net.layers": 2, "net.units_1": 8}]
    for broken, expected in (
        ("net.layers = 9\n", "start[1].net.layers: 9 is not in the space: it must be a whole number from 1 to 3"),
        ("net.units_2 = 8\n", "start[1].net.units_2: this candidate has no parameter 'net.units_2'"),
    ):
        assert fails(head + f"[[start]]\n{broken}", tmp_path).startswith(expected)
    grid = fails(head + '[sampler]\nname = "grid"\n', tmp_path)
    assert grid.startswith("space: adam.rate: the sampler 'grid' needs values that can be counted")


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


def test_a_start_may_write_a_choice_as_another_kind_of_number_but_not_as_a_truth(tmp_path: Path) -> None:
    space = "[space]\nlabel_smoothing = [0.0, 0.1]\nplain_cnn = { batch_norm = [false, true], dense_units = [0, 1] }\n"
    text = MINIMAL + space + "[[start]]\nlabel_smoothing = 0\nplain_cnn = { batch_norm = true, dense_units = 1.0 }\n"
    (start,) = read(text, tmp_path).start_parameters()
    assert [(type(value), value) for _, value in sorted(start.items())] == [(bool, True), (int, 1), (float, 0.0)]
    message = fails(text.replace("batch_norm = true", "batch_norm = 1"), tmp_path)
    assert "1 is not in the space: it must be one of False, True" in message


def test_start_and_pretraining_take_a_trainable_share_too(tmp_path: Path) -> None:
    data = {"source": "digits"}
    space = {"architecture": "VGG16", "VGG16": {"freeze_fraction": [0.0, 0.1, 0.9]}}
    shares = {"90 %": 0.1, "All": 0.0, "Top": 0.9}  # behind nine tenths of VGG16's layers there is only a pooling
    start = [{"VGG16": {"trainable": share}} for share in shares]
    spec = StudySpec.model_validate({"name": "shares", "data": data, "space": space, "start": start})
    assert spec.start_parameters() == [{"VGG16.freeze_fraction": fraction} for fraction in shares.values()]
    wrong = [{"VGG16": {"trainable": "80 %"}}]
    with pytest.raises(SpaceError, match=r"start\[1\]\.VGG16\.freeze_fraction: 0\.2 is not in the space"):
        StudySpec.model_validate({"name": "shares", "data": data, "space": space, "start": wrong})
    table = {
        "weights": "a.weights.h5",
        "data": data,
        "space": {"architecture": "VGG16", "VGG16": {"trainable": "90 %"}},
    }
    candidate = pretraining_candidate(PretrainTable.model_validate(table))
    assert candidate.architecture_settings["freeze_fraction"] == 0.1


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
