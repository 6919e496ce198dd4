"""Candidates of [[start]]: what they give, and what is refused of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.spec.choice_text import COUNTABLE, OWN, fails, read
from tests.search.spec.spec_text import MINIMAL
from tunefront.search.preparation.pretraining import pretraining_candidate
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.tables import PretrainTable
from tunefront.spaces.settings import SpaceError


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


@pytest.mark.parametrize(
    ("text", "key", "fragments"),
    [
        (MINIMAL + "[start]\nbatch_size = 64\n", "start", ["[[start]], with two brackets"]),
        (
            "trials = 1\n" + MINIMAL + '[[start]]\noptimizer = "adam"\n[[start]]\noptimizer = "sgd"\n',
            "trials",
            ["1 is fewer than the 2 of [[start]]"],
        ),
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
def test_what_a_start_candidate_cannot_be_is_named(tmp_path: Path, text: str, key: str, fragments: list[str]) -> None:
    message = fails(text, tmp_path)
    assert message.startswith(f"{key}: ")
    for fragment in fragments:
        assert fragment in message


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
