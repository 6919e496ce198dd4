"""The study that records a search's candidates: its spec, and what it trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.search.replay.recorded_study import make_study
from tunefront.search.replay.recording_study import enqueue_candidates
from tunefront.search.spec.derived import recorded_search, recording_spec
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec, differences

SEARCH = StudySpec.model_validate(
    {
        "name": "digits",
        "trials": 5,
        "objectives": {"accuracy": {"measure": "f1_macro", "at_least": 0.5}, "memory": "weight_bytes", "time": False},
        "data": {"source": "digits"},
        "space": {"optimizer": ["sgd", "adam"]},
        "training": {"epochs": 20, "early_stopping": {"patience": 3}},
        "pruner": {"name": "pareto", "front_loss": 0.1},
    }
)


def test_the_recording_spec_stops_nothing_and_keeps_the_rest() -> None:
    made = recording_spec(SEARCH, n_candidates=10, n_repeated=4, n_seeds=3, epochs=None)
    assert (made.name, made.trials, made.max_failures) == ("digits.recording", 18, 18)  # 10, and 4 twice more
    assert (made.sampler.name, made.pruner.name, made.training.early_stopping) == ("random", "none", None)
    objectives = made.parsed_objectives()
    assert [objective.measure.name for objective in objectives.values()] == ["f1_macro", "weight_bytes"]
    assert not any(objective.has_limit for objective in objectives.values())
    assert (made.training.epochs, made.data) == (20, SEARCH.data)
    assert made.parsed_space() == SEARCH.parsed_space()
    assert recording_spec(SEARCH, 10, 4, 3, epochs=7).training.epochs == 7


def test_every_training_is_queued_once_however_often_that_is_done(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    for _ in range(2):
        enqueue_candidates(study, n_candidates=4, n_repeated=2, n_seeds=3)
    queued = study.optuna.get_trials()
    assert [(trial.user_attrs["candidate"], trial.user_attrs["seed"]) for trial in queued] == [
        (0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (0, 2), (1, 2),
    ]  # fmt: skip
    drawn = [trial.system_attrs["fixed_params"] for trial in queued]
    assert drawn[0] == drawn[4] == drawn[6]
    assert len({json.dumps(parameters) for parameters in drawn}) == 4


def test_more_candidates_are_added_to_those_queued(tmp_path: Path) -> None:
    def drawn(n_candidates: int, folder: Path) -> list[dict[str, Any]]:
        folder.mkdir(exist_ok=True)
        study = make_study(folder)
        enqueue_candidates(study, n_candidates, n_repeated=0, n_seeds=1)
        return [trial.system_attrs["fixed_params"] for trial in study.optuna.get_trials()]

    few, more = drawn(2, tmp_path / "a"), drawn(4, tmp_path / "a")
    assert few == more[:2]
    assert more == drawn(4, tmp_path / "b")  # whatever was queued before


def test_a_recording_goes_on_from_its_searchs_file(tmp_path: Path) -> None:
    path = tmp_path / "search.toml"
    path.write_text('name = "digits"\ndata = { source = "digits" }\n[pruner]\nfront_loss = 0.1\n')
    recording = recording_spec(read_spec(path), n_candidates=4, n_repeated=0, n_seeds=1, epochs=5).as_json()
    recording["space"]["plain_cnn"]["filters"] = [4, 8]  # as a default was when it began
    lines: list[str] = []
    find = recorded_search({"digits.recording": recording}.get)
    again = recording_spec(read_spec(path, find, lines.append), n_candidates=4, n_repeated=0, n_seeds=1, epochs=None)
    assert differences(recording, again.as_json()) == []
    assert [line.split(":")[0] for line in lines] == ["space.plain_cnn.filters", "training.epochs"]
    assert find("other") is None
