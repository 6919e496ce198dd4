"""Features on a disk: made once, in use or dropped, never half there."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunefront.search.data.cache_entries import list_cache, prune
from tunefront.search.data.feature_cache import FeatureCache, FeatureCacheError

ROWS = np.arange(24, dtype=np.float32).reshape(6, 2, 2)  # 96 bytes


def computing(rows: Any, calls: list[str] | None = None, name: str = "") -> Callable[[Any], dict[str, Any]]:
    def compute(write: Any) -> dict[str, Any]:
        if calls is not None:
            calls.append(name)
        write(rows[:4])
        write(rows[4:])
        return {"origin": "digits", "seconds_an_example": 0.25}

    return compute


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path, 1e6)


def make(cache: FeatureCache, key: str, rows: Any = ROWS, calls: list[str] | None = None) -> None:
    cache.make(key, rows.shape, rows.dtype, computing(rows, calls, key))


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "features").iterdir())


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_what_was_made_is_mapped_with_its_facts(cache: FeatureCache, tmp_path: Path, kind: Any) -> None:
    assert cache.take("a") is None
    make(cache, "a", ROWS.astype(kind))
    features = cache.take("a")
    assert features is not None
    assert isinstance(features.array, np.memmap)
    assert features.array.dtype == kind
    np.testing.assert_array_equal(features.array, ROWS)
    assert features.facts["seconds_an_example"] == 0.25
    np.testing.assert_array_equal(np.load(tmp_path / "features" / "features-a" / "features.npy"), ROWS)


def test_what_is_there_is_not_made_again(cache: FeatureCache) -> None:
    calls: list[str] = []
    for key in ("a", "b", "a"):
        make(cache, key, calls=calls)
    assert calls == ["a", "b"]


def test_of_several_one_makes_and_the_others_wait(cache: FeatureCache) -> None:
    calls: list[str] = []
    found: list[Any] = []
    is_making, may_end = threading.Event(), threading.Event()

    def compute(write: Any) -> dict[str, Any]:
        calls.append("made")
        is_making.set()
        may_end.wait(60)
        write(ROWS)
        return {"origin": ""}

    makers = [threading.Thread(target=cache.make, args=("a", ROWS.shape, ROWS.dtype, compute)) for _ in range(3)]
    for thread in makers:
        thread.start()
    assert is_making.wait(60)
    user = threading.Thread(target=lambda: found.append(cache.take("a")))
    user.start()
    may_end.set()
    for thread in (*makers, user):
        thread.join(60)
    assert calls == ["made"]
    np.testing.assert_array_equal(found[0].array, ROWS)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), RuntimeError("the network has a mistake")]
)
def test_nothing_half_made_has_a_name(cache: FeatureCache, tmp_path: Path, error: Exception) -> None:
    def compute(write: Any) -> dict[str, Any]:
        write(ROWS[:4])
        raise error

    expected = "No space left on device" if isinstance(error, OSError) else "the network has a mistake"
    with pytest.raises(FeatureCacheError if isinstance(error, OSError) else RuntimeError, match=expected):
        cache.make("a", ROWS.shape, ROWS.dtype, compute)
    assert kept(tmp_path) == []
    assert cache.take("a") is None
    make(cache, "a")
    assert cache.take("a") is not None


def test_fewer_rows_than_were_promised_are_damage(cache: FeatureCache, tmp_path: Path) -> None:
    cache.make("a", (7, 2, 2), ROWS.dtype, computing(ROWS))
    assert cache.take("a") is None


@pytest.mark.parametrize("content", [b"", b"PK" + bytes(40), None])
@pytest.mark.parametrize("name", ["features.npy", "features.json"])
def test_damaged_features_are_made_again(cache: FeatureCache, tmp_path: Path, name: str, content: bytes | None) -> None:
    make(cache, "a")
    path = tmp_path / "features" / "features-a" / name
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    assert cache.take("a") is None
    calls: list[str] = []
    make(cache, "a", calls=calls)
    assert calls == ["a"]
    assert cache.take("a") is not None
    assert kept(tmp_path) == ["features-a"]


def test_the_least_recently_used_make_room_but_none_in_use(tmp_path: Path) -> None:
    for place, key in enumerate("abc"):
        make(FeatureCache(tmp_path, 1e6), key)
        os.utime(tmp_path / "features" / f"features-{key}" / "features.json", (place, place))
    cache = FeatureCache(tmp_path, sum(entry.n_bytes for entry in list_cache(tmp_path)) + ROWS.nbytes / 2)
    in_use = cache.take("a")
    assert in_use is not None
    os.utime(tmp_path / "features" / "features-a" / "used", (0, 0))
    make(cache, "d")
    assert kept(tmp_path) == ["features-a", "features-c", "features-d"]
    in_use.close()
    make(cache, "e")
    assert kept(tmp_path) == ["features-c", "features-d", "features-e"]
    np.testing.assert_array_equal(in_use.array, ROWS)  # whoever has them open keeps them


def test_a_disk_of_the_network_is_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"none / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n")
    with pytest.raises(FeatureCacheError, match=r"on a file system of the network \(nfs4\)"):
        FeatureCache(tmp_path, 1e6, mounts)


def test_features_are_entries_of_the_cache(cache: FeatureCache, tmp_path: Path) -> None:
    make(cache, "a")
    in_use = cache.take("a")
    assert in_use is not None
    (entry,) = list_cache(tmp_path)
    assert (entry.what, entry.origin, entry.n_examples) == ("features", "digits", 6)
    assert ROWS.nbytes < entry.n_bytes < 1000
    assert time.time() - entry.used < 3600
    ((_, reason),) = prune(tmp_path, 0).kept
    assert reason == "it is in use"
    in_use.close()
    assert [one.path.name for one in prune(tmp_path, 0).removed] == ["features-a"]
    assert kept(tmp_path) == []
