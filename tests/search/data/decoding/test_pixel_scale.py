"""Images as arrays on other scales than pixels: converted if the spec says so, else refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tunefront.search.data.cache import prepare
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.decoding.pixel_scale import as_pixels, has_channels_first, likely_scale
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.npz import NpzSource
from tunefront.search.launching.asker import CheckError
from tunefront.search.preparation.pixel_checks import check_pixels

PIXELS = (load_digits().images[:60] * 15).astype(np.uint8)  # 0 to 240, of shape (60, 8, 8)
CLASSES = load_digits().target[:60] % 2


def prepared(folder: Path, arrays: dict[str, Any], *, are_images: bool = False, **settings: Any) -> Dataset:
    np.savez(folder / "images.npz", **arrays)
    source = NpzSource.model_validate({"source": "npz", "path": str(folder / "images.npz"), **settings})
    return prepare(source, seed=1, are_images=are_images)


@pytest.mark.parametrize(
    ("scale", "values"),
    [
        ("0..1", PIXELS / 255),
        ("0..1", (PIXELS / 255).astype(np.float32)[..., np.newaxis]),
        ("-1..1", PIXELS / 127.5 - 1),
        ("0..255", PIXELS.astype(np.float32)),
    ],
)
def test_images_on_another_scale_become_the_same_pixels(tmp_path: Path, scale: str, values: Any) -> None:
    dataset = prepared(tmp_path, {"x": values, "y": CLASSES}, scale=scale)
    (tmp_path / "plain").mkdir()
    plain = prepared(tmp_path / "plain", {"x": PIXELS, "y": CLASSES})
    assert dataset.image_shape == plain.image_shape == (8, 8, 1)
    for split in ("train", "validation", "test"):
        np.testing.assert_allclose(dataset.split(split).images, plain.split(split).images, atol=2e-4)
        np.testing.assert_array_equal(dataset.split(split).labels, plain.split(split).labels)
    check_pixels(dataset)


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        (PIXELS[..., np.newaxis] / 255, 'from 0 to 0.941176.*scale = "0..1"'),
        (PIXELS[..., np.newaxis] / 127.5 - 1, 'from -1 to 0.88.*scale = "-1..1"'),
        ((PIXELS[..., np.newaxis] > 100).astype(np.uint8), 'from 0 to 1,.*scale = "0..1"'),
        (PIXELS / 255, 'from 0 to 0.941176.*scale = "0..1"'),
        (PIXELS[..., np.newaxis] / 240 * 1.0001, "from 0 to 1.0001, .* bring them to 0 to 255"),
        (PIXELS[..., np.newaxis] / 100 - 0.8, "from -0.8 to 1.6, .* bring them to 0 to 255"),
        (np.repeat(PIXELS[:, np.newaxis], 3, axis=1), r"channels first.*np.transpose\(x, \(0, 2, 3, 1\)\)"),
    ],
    ids=["0..1", "-1..1", "zeros and ones", "grey", "beyond 1", "standardised", "channels first"],
)
def test_images_that_these_networks_would_not_see_are_refused(tmp_path: Path, values: Any, remedy: str) -> None:
    with pytest.raises(CheckError, match=remedy):
        check_pixels(prepared(tmp_path, {"x": values, "y": CLASSES}, are_images=True))


def test_grey_floats_are_taken_as_grey_bytes_are(tmp_path: Path) -> None:
    # A user's own space takes values as they are, because they may be sequences.
    floats = prepared(tmp_path, {"x": PIXELS.astype(np.float32), "y": CLASSES}, are_images=True)
    (tmp_path / "bytes").mkdir()
    grey_bytes = prepared(tmp_path / "bytes", {"x": PIXELS, "y": CLASSES})
    check_pixels(floats)
    for split in ("train", "validation", "test"):
        np.testing.assert_array_equal(floats.split(split).images, grey_bytes.split(split).images)
    assert prepared(tmp_path, {"x": PIXELS.astype(np.float32), "y": CLASSES}).image_shape == (8, 8)


@pytest.mark.parametrize(
    ("settings", "values", "fragment"),
    [
        ({"scale": "0..1"}, PIXELS, 'from 0 to 240, which are not on the scale "0..1": write scale = "0..255"'),
        ({"scale": "0..1"}, PIXELS / 127.5 - 1, 'from -1 to 0.8823529, which .*: write scale = "-1..1"'),
        ({"scale": "0..1"}, PIXELS / 240 * 1.0001, "from 0 to 1.0001, which .* np.clip(x, 0, 1)"),
        ({"scale": "0..255"}, PIXELS - 0.5, "from -0.5 to 239.5, which .* np.clip(x, 0, 255)"),
        ({"scale": "-1..1"}, PIXELS / 50.0 - 2, "from -2 to 2.8, which .* np.clip(x, -1, 1)"),
        ({"scale": "0..1"}, PIXELS.reshape(60, 64) / 255, "leave scale out where values are no images"),
    ],
)
def test_a_scale_that_does_not_fit_is_refused(
    tmp_path: Path, settings: dict[str, Any], values: Any, fragment: str
) -> None:
    with pytest.raises(DataError) as caught:
        prepared(tmp_path, {"x": values, "y": CLASSES}, **settings)
    for part in fragment.split(".*"):
        assert part.strip() in str(caught.value)


@pytest.mark.parametrize("scaled", [lambda images: images / 255, lambda images: images.astype(np.float32)])
def test_splits_of_different_types_or_scales_are_refused(tmp_path: Path, scaled: Any) -> None:
    images = PIXELS[..., np.newaxis]
    arrays = {"x_train": images[:40], "y_train": CLASSES[:40], "x_test": scaled(images[40:]), "y_test": CLASSES[40:]}
    with pytest.raises(DataError, match="images of different types or scales.*x_train from 0 to 240, as uint8; x_test"):
        prepared(tmp_path, arrays)


@pytest.mark.parametrize(
    ("of_train", "of_test", "found"),
    [
        (lambda x: x / 255, lambda x: x, "x_train from 0 to 0.94.*; x_test from 0 to 240"),
        (lambda x: x, lambda x: x / 16, "x_train from 0 to 240.*; x_test from 0 to 15"),
        (lambda x: x / 255, lambda x: x / 127.5 - 1, "x_train from 0 to 0.94.*; x_test from -1 to 0.88"),
    ],
)
def test_splits_of_floats_on_two_scales_are_refused(tmp_path: Path, of_train: Any, of_test: Any, found: str) -> None:
    images = PIXELS[..., np.newaxis].astype(np.float32)
    arrays = {"x_train": of_train(images[:40]), "x_test": of_test(images[40:])}
    with pytest.raises(DataError, match=found):
        prepared(tmp_path, {**arrays, "y_train": CLASSES[:40], "y_test": CLASSES[40:]})


def test_splits_of_bytes_and_fractions_without_channels_are_refused_for_their_scale(tmp_path: Path) -> None:
    arrays = {"x_train": PIXELS[:40], "y_train": CLASSES[:40], "x_test": PIXELS[40:] / 255, "y_test": CLASSES[40:]}
    with pytest.raises(DataError, match="different types or scales"):
        prepared(tmp_path, arrays)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_splits_may_be_dark(tmp_path: Path, kind: Any) -> None:
    images = PIXELS[..., np.newaxis].astype(kind)
    arrays = {"x_train": images[:40], "y_train": CLASSES[:40], "x_test": images[40:] * 0, "y_test": CLASSES[40:]}
    assert prepared(tmp_path, arrays).n_test > 0


@pytest.mark.parametrize(
    ("value_range", "scale"),
    [
        *[((0, 1), "0..1"), ((0.2, 0.9), "0..1"), ((-1, 1), "-1..1"), ((-0.1, 0.5), "-1..1"), ((0, 2), "")],
        *[((0, 255), ""), ((0, 255.5), ""), ((0, 256), "0..1023"), ((7, 1023), "0..1023"), ((0, 1024), "0..4095")],
        *[((0, 4095), "0..4095"), ((0, 4096), "0..16383"), ((0, 65535), "0..65535"), ((0, 65536), "")],
        ((-1024, 3071), ""),
    ],
)
def test_likely_scale_is_that_of_values_that_are_no_pixels(value_range: tuple[float, float], scale: str) -> None:
    assert likely_scale(value_range) == scale


@pytest.mark.parametrize(
    ("shape", "is_first"),
    [((3, 32, 32), True), ((1, 28, 28), True), ((32, 32, 3), False), ((3, 3, 3), False), ((8, 8), False)],
)
def test_has_channels_first(shape: tuple[int, ...], is_first: bool) -> None:
    assert has_channels_first(shape) is is_first


def test_values_without_a_scale_stay_as_they_are() -> None:
    values = np.random.default_rng(1).normal(size=(5, 4, 3))
    assert as_pixels(values, "", "x") is values


@pytest.mark.parametrize("values", [PIXELS / 255, PIXELS[..., np.newaxis] / 255], ids=["no channel", "a channel"])
def test_looking_at_the_data_stops_too_where_the_space_is_not_the_users(tmp_path: Path, values: Any) -> None:
    from tests.search.supervisor_fixture import make_spec
    from tunefront.search.preparation.prepare import _prepare_and_inspect

    np.savez(tmp_path / "images.npz", x=values, y=CLASSES)
    data = {"source": "npz", "path": str(tmp_path / "images.npz")}
    with pytest.raises(CheckError, match="scale"):
        _prepare_and_inspect(make_spec(data=data).as_json(), lambda what, done, total: None)
    own = make_spec(data=data).as_json() | {"space": "mine.py:Mine"}
    assert _prepare_and_inspect(own, lambda what, done, total: None)["report"]["value_range"][1] < 1


@pytest.mark.parametrize(
    ("values", "scale", "remedy"),
    [
        (PIXELS.astype(np.uint16) * 17, "0..4095", 'data.scale: .* from 0 to 4080.*scale = "0..4095"'),
        (PIXELS.astype(np.uint16) * 257, "0..65535", 'data.scale: .* from 0 to 61680.*scale = "0..65535"'),
        (PIXELS.astype(np.int16) * 16 - 1024, "", "data: .* from -1024 to 2816.*bring them to 0 to 255"),
    ],
)
def test_images_of_more_than_8_bits_are_refused_and_taken_on_their_scale(
    tmp_path: Path, values: Any, scale: str, remedy: str
) -> None:
    from tests.search.supervisor_fixture import make_spec
    from tunefront.search.preparation.prepare import _prepare_and_inspect

    np.savez(tmp_path / "images.npz", x=values[..., np.newaxis], y=CLASSES)
    data = {"source": "npz", "path": str(tmp_path / "images.npz")}
    with pytest.raises(CheckError, match=remedy):
        _prepare_and_inspect(make_spec(data=data).as_json(), lambda what, done, total: None)
    if scale:
        spec = make_spec(data={**data, "scale": scale})
        report = _prepare_and_inspect(spec.as_json(), lambda what, done, total: None)["report"]
        assert report["value_range"] == pytest.approx(
            (0, 255 * float(values.max()) / {"0..4095": 4095}.get(scale, 65535))
        )
