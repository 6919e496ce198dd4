from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.search.spec.spec_text import MINIMAL, ROOT, read
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec, differences


def test_read_spec_of_two_keys_has_sensible_defaults(tmp_path: Path) -> None:
    spec = read(MINIMAL, tmp_path)
    assert (spec.name, spec.seed, spec.trials) == ("digits", 0, 30)
    assert (spec.training.epochs, spec.training.time_limit, spec.training.precision) == (12, 3600.0, "float32")
    assert (spec.data.validation_fraction, spec.data.test_fraction) == (0.2, 0.2)
    assert (spec.sampler.name, spec.pruner.name, spec.pruner.front_loss) == ("tpe", "pareto", 0.1)
    measures = {axis: objective.measure.name for axis, objective in spec.parsed_objectives().items()}
    assert measures == {"accuracy": "accuracy", "memory": "model_bytes", "time": "train_seconds"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*.toml")), ids=lambda path: path.name)
def test_read_spec_of_every_example(path: Path) -> None:
    spec = read_spec(path)
    assert spec.name == path.stem
    assert spec.parsed_space()


def test_read_spec_reads_units(tmp_path: Path) -> None:
    spec = read(
        MINIMAL + "[training]\n"
        'time_limit = "5 min"\n'
        "[objectives]\n"
        'accuracy = { measure = "accuracy", at_least = "80 %" }\n'
        'memory = { measure = "weight_bytes", at_most = "2 MB" }\n'
        'time = { measure = "latency_seconds", at_most = "5 ms" }\n',
        tmp_path,
    )
    objectives = spec.parsed_objectives()
    assert spec.training.time_limit == 300.0
    assert objectives["accuracy"].at_least == pytest.approx(0.8)
    assert (objectives["memory"].at_least, objectives["memory"].at_most) == (None, 2e6)
    assert objectives["time"].at_most == pytest.approx(0.005)


def test_read_spec_keeps_the_order_of_the_axes_when_a_file_has_another(tmp_path: Path) -> None:
    spec = read(MINIMAL + '[objectives]\ntime = "train_seconds"\nmemory = false\naccuracy = "f1_macro"\n', tmp_path)
    assert list(spec.parsed_objectives()) == ["accuracy", "time"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", ["accuracy", "model_bytes", "train_seconds"]),
        ('memory = "weight_bytes"\n', ["accuracy", "weight_bytes", "train_seconds"]),  # what is left out counts too
        ("time = false\n", ["accuracy", "model_bytes"]),
        ("accuracy = false\ntime = false\n", ["model_bytes"]),
    ],
)
def test_an_axis_that_is_left_out_has_its_default_measure_and_false_drops_one(
    tmp_path: Path, lines: str, expected: list[str]
) -> None:
    spec = read(MINIMAL + f"[objectives]\n{lines}", tmp_path)
    for found in (
        spec,
        StudySpec.from_json(spec.as_json()),
        StudySpec.from_json(json.loads(json.dumps(spec.as_json()))),
    ):
        assert [objective.measure.name for objective in found.parsed_objectives().values()] == expected


def test_a_stored_spec_keeps_what_it_was_stored_with(tmp_path: Path) -> None:
    # An earlier tunefront dropped an axis that a file left out.
    stored = read(MINIMAL, tmp_path).as_json() | {"objectives": {"memory": {"measure": "model_bytes"}}}
    assert list(StudySpec.from_json(stored).parsed_objectives()) == ["memory"]
    old_file = read(MINIMAL + '[objectives]\nmemory = "model_bytes"\n', tmp_path).as_json()
    assert differences(stored, old_file) == [
        'objectives.accuracy: the study has none, the spec "accuracy": write accuracy = false',
        'objectives.time: the study has none, the spec "train_seconds": write time = false',
    ]
    now = read(MINIMAL + '[objectives]\nmemory = "model_bytes"\naccuracy = false\ntime = false\n', tmp_path).as_json()
    assert differences(stored, now) == []


@pytest.mark.parametrize(
    ("axis", "measure"),
    [
        ("accuracy", "accuracy"),
        ("memory", "model_bytes"),
        ("memory", "weight_bytes"),
        ("memory", "peak_bytes"),
        ("time", "train_seconds"),
        ("time", "compile_seconds"),
        ("time", "validation_seconds"),
        ("time", "latency_seconds"),
    ],
)
def test_read_spec_takes_a_single_objective(tmp_path: Path, axis: str, measure: str) -> None:
    others = "".join(f"{other} = false\n" for other in ("accuracy", "memory", "time") if other != axis)
    spec = read(MINIMAL + f'[objectives]\n{axis} = "{measure}"\n{others}', tmp_path)
    assert [(name, o.measure.name) for name, o in spec.parsed_objectives().items()] == [(axis, measure)]


def test_read_spec_takes_overrides_that_are_not_none(tmp_path: Path) -> None:
    assert read("trials = 5\n" + MINIMAL, tmp_path, trials=7, seed=None).trials == 7
    assert read("trials = 5\n" + MINIMAL, tmp_path, trials=None).trials == 5


def test_read_spec_when_the_path_is_odd(any_folder: Path) -> None:
    assert read(MINIMAL, any_folder).name == "digits"


def test_a_stored_spec_with_plain_seconds_and_any_limits_can_be_read() -> None:
    stored = {
        "name": "digits",
        "data": {"source": "digits"},
        "training": {"time_limit": 90.0},
        "stop": {"time_limit": 60},
        "objectives": {"accuracy": {"measure": "accuracy", "at_most": 0.9}},
    }
    spec = StudySpec.from_json(stored)
    assert (spec.training.time_limit, spec.stop.time_limit) == (90.0, 60.0)
    assert spec.parsed_objectives()["accuracy"].at_most == 0.9


def test_read_spec_of_an_editor_that_writes_a_mark_before_the_text(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(MINIMAL, encoding="utf-8-sig")
    assert read_spec(tmp_path / "study.toml").name == "digits"


@pytest.mark.parametrize("name", ["digits.confirmation", "digits.recording"])
def test_read_spec_leaves_tunefronts_own_names_alone(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError, match="name: .*are tunefront's own. Leave that off"):
        read(MINIMAL.replace("digits", name, 1), tmp_path)
