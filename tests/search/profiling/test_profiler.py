"""The profiles of models, without training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.candidates import candidate
from tunefront.commands.profile_table import profiles_table
from tunefront.search.launching.asker import CheckError
from tunefront.search.profiling.profile import Profile, profile
from tunefront.search.profiling.profile_grid import ProfileGrid, profile_grid
from tunefront.search.profiling.profiler import profile_in_child, profile_spec
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.space import Space

pytestmark = pytest.mark.usefixtures("keras")

SMALL = ProfileGrid.parse("MobileNetV2, one_conv32", "0,0.9,1", 10, 32, 3, "adam", 0.35)


@dataclass
class HereAsker:
    """An asker that answers in this process, through JSON like a child."""

    told: list[tuple[str, int, int]]

    def ask(self, function: Callable[..., Any], task: Any) -> Any:
        answer = function(json.loads(json.dumps(task)), lambda *step: self.told.append(step))
        return json.loads(json.dumps(answer))


@pytest.fixture(scope="module")
def small_grid(keras: Any) -> list[Profile]:
    return list(profile_grid(SMALL))


def test_profile_of_a_small_cnn_by_hand(keras: Any, tmp_path: Path) -> None:
    chosen = candidate(architecture_settings={"filters": 4}, optimizer="lion")
    found = profile(Space.from_table({}), chosen, (8, 8, 1), 10)
    n_weights = (9 * 4 + 4) + (4 * 4 * 4 * 10 + 10)
    assert (found.architecture, found.optimizer, found.image_size) == ("plain_cnn", "lion", "8x8")
    assert found.width is found.freeze_fraction is None
    assert found.parameters == found.trainable_parameters == n_weights
    assert found.weight_bytes == 4 * n_weights
    assert found.flops == 2 * (8 * 8 * 9 * 4 + 64 * 10)
    assert found.n_layers == 7  # input, scaling, convolution, activation, pooling, flattening, classes
    assert 8 * n_weights < found.model_bytes < 8 * n_weights + 50_000  # lion has one slot a weight
    assert found.settings == {
        "n_blocks": 1, "filters": 4, "kernel_size": 3, "dense_units": 0, "batch_norm": False,
    }  # fmt: skip


def test_profile_loads_no_pretrained_weights(keras: Any) -> None:
    settings = {"freeze_fraction": 0.5, "weights": "/nowhere.weights.h5", "dropout": 0.0, "width": 0.35}
    chosen = candidate(architecture="MobileNetV2", architecture_settings=settings)
    assert profile(Space.from_table({}), chosen, (32, 32, 3), 10).freeze_fraction == 0.5


def test_profile_grid_is_the_models_that_its_candidates_are(keras: Any, small_grid: list[Profile]) -> None:
    assert [(one.architecture, one.freeze_fraction) for one in small_grid] == [
        ("MobileNetV2", 0.0),
        ("MobileNetV2", 0.9),
        ("MobileNetV2", 1.0),
        ("one_conv32", None),
    ]
    all_trained, most_frozen, head, _ = small_grid
    assert head.n_layers == all_trained.n_layers == 154
    assert head.trainable_parameters == 1280 * 10 + 10
    assert all_trained.trainable_parameters > most_frozen.trainable_parameters > head.trainable_parameters
    assert all_trained.model_bytes > most_frozen.model_bytes > head.model_bytes > head.weight_bytes
    assert len({(one.parameters, one.weight_bytes, one.flops) for one in small_grid[:3]}) == 1
    assert {one.width for one in small_grid[:3]} == {0.35}
    # A backbone built once for all fractions gives the same profile as one built for a single fraction.
    chosen = SMALL.candidate("MobileNetV2", 0.9)
    assert profile(Space.from_table({}), chosen, (32, 32, 3), 10) == most_frozen


def test_a_grid_leaves_out_fractions_that_train_the_same_layers() -> None:
    grid = ProfileGrid.parse("VGG16,one_conv32,MobileNetV2", "0,0.9,0.95,1", 10, 32, 3, "adam", None)
    fractions = [list(grid.fractions_of(name)) for name in grid.architectures]
    assert fractions == [[0.0, 1.0], [0.0], [0.0, 0.9, 0.95, 1.0]]
    assert grid.note == (
        "VGG16: freeze_fraction 0.9, 0.95 and 1 leave the same layers trainable: one candidate, freeze_fraction = 1"
    )


def test_profile_grid_waits_for_its_caller(keras: Any) -> None:
    profiles = profile_grid(ProfileGrid.parse("one_conv32,NASNetLarge", "0", 10, 32, 3, "sgd", None))
    assert next(profiles).architecture == "one_conv32"
    profiles.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "fragments"),
    [
        ({"architectures": "MobilNetV2"}, ["no architecture 'MobilNetV2'", "Did you mean 'MobileNetV2'?"]),
        ({"architectures": " , "}, ["at least one architecture"]),
        ({"architectures": "Xception"}, ["Xception takes images of at least 71 pixels, these have 32"]),
        ({"freeze_fractions": "0,90"}, ["'90' is no freeze fraction", "0 to 1"]),
        ({"freeze_fractions": "half"}, ["'half' is no freeze fraction"]),
        ({"freeze_fractions": ""}, ["one freeze fraction"]),
        ({"optimizer": "adm"}, ["no optimizer 'adm'", "Did you mean 'adam'?"]),
        ({"width": 0.0}, ["width 0.0 is not possible"]),
    ],
)
def test_a_grid_names_what_is_wrong(changes: dict[str, Any], fragments: list[str]) -> None:
    written = {"architectures": "MobileNetV2", "freeze_fractions": "0", "optimizer": "adam", "width": None}
    with pytest.raises(CheckError) as caught:
        ProfileGrid.parse(**{**written, **changes}, n_classes=10, image_size=32, channels=3)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_profile_spec_of_a_space_of_few_models(keras: Any) -> None:
    table = {"architecture": "one_conv32", "optimizer": ["sgd", "adam"], "sgd": {"momentum": 0.0}}
    profiles, note = profile_spec(Space.from_table(table), (8, 8, 1), 10, limit=5)
    sgd, adam = list(profiles)
    assert note == "all 2 models of this space"
    assert adam.model_bytes - sgd.model_bytes == pytest.approx(2 * sgd.weight_bytes, rel=0.1)


def test_profile_in_child_of_a_grid(keras: Any, small_grid: list[Profile]) -> None:
    asker = HereAsker([])
    assert profile_in_child(asker, SMALL) == (small_grid, "")  # type: ignore[arg-type]
    assert asker.told == [("profiling models", done, 4) for done in range(5)]
    with pytest.raises(CheckError, match="grey or colour images, these have 5 channels"):
        profile_in_child(asker, ProfileGrid.parse("MobileNetV2", "0", 10, 32, 5, "adam", None))  # type: ignore[arg-type]


def test_profile_in_child_of_a_spec(keras: Any) -> None:
    data = {"source": "digits"}
    space = {"architecture": "one_conv32", "optimizer": "adam", "augmentation": "none", "image_size": [0, 12]}
    spec = StudySpec.model_validate({"name": "few", "data": data, "space": space})
    profiles, note = profile_in_child(HereAsker([]), spec)  # type: ignore[arg-type]
    assert note == "all 2 models of this space"
    assert [one.image_size for one in profiles] == ["8x8", "12x12"]


def rendered(profiles: list[Profile], *, is_exact: bool = False) -> str:
    console = Console(width=120 if is_exact else 80)
    with console.capture() as capture:
        console.print(profiles_table(profiles, is_exact=is_exact))
    return capture.get()


def test_profiles_table_is_for_people(small_grid: list[Profile]) -> None:
    lines = rendered(small_grid[:3]).splitlines()
    assert lines[0].split() == ["architecture", "freeze", "layers", "weights", "trained", "bytes", "saved", "FLOPs"]
    assert lines[4].split()[:7] == ["MobileNetV2", "1", "154", "423", "k", "12.8", "k"]
    assert lines[-1].strip() == "image 32x32, width 0.35, optimizer adam"
    assert small_grid[3].as_json()["freeze_fraction"] is None


def test_profiles_table_shows_every_digit_when_told_so(small_grid: list[Profile]) -> None:
    line = rendered(small_grid[:1], is_exact=True).splitlines()[2]
    found = small_grid[0]
    assert line.split()[3:] == [
        f"{value:,}"
        for value in (found.parameters, found.trainable_parameters, found.weight_bytes, found.model_bytes, found.flops)
    ]


def test_profiles_table_shows_settings_that_differ(keras: Any) -> None:
    table = {"architecture": "one_conv32", "optimizer": "lion", "one_conv32": {"filters": [4, 8]}}
    profiles, _ = profile_spec(Space.from_table(table), (8, 8, 1), 10, limit=5)
    lines = rendered(list(profiles)).splitlines()
    assert [line[: len("one_conv32   filters 4")].split() for line in lines[2:4]] == [
        ["one_conv32", "filters", "4"],
        ["one_conv32", "filters", "8"],
    ]


def test_profiles_table_leaves_out_what_none_has(small_grid: list[Profile]) -> None:
    assert "freeze" not in rendered(small_grid[3:])
    assert "width" in rendered(small_grid).splitlines()[0]  # some have it
