from __future__ import annotations

import pytest

from tests.search.launching.test_slots import A, B, C
from tunefront.search.launching.gpus import Gpu, list_gpus, visible


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, [A, B, C]),
        ("0,1,2", [A, B, C]),
        ("1", [B]),
        ("2,0", [C, A]),  # in the order that was asked for
        (" 1 , 2 ", [B, C]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0,-1,1", [A]),  # CUDA stops at the first entry that names none
        ("0,7,1", [A]),
        ("7", []),
        ("GPU-bbbbbbbb-0000", [B]),
        ("GPU-cc", [C]),  # a UUID may be shortened
        ("GPU-cc,0", [C, A]),
        ("GPU-zz,0", []),
        ("0,,1", [A]),
    ],
)
def test_visible_follows_cuda_visible_devices(chosen: str | None, expected: list[Gpu]) -> None:
    assert visible([A, B, C], chosen) == expected


def test_visible_when_there_are_no_gpus() -> None:
    assert visible([], None) == []
    assert visible([], "0") == []


def test_list_gpus_is_empty_when_all_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert list_gpus() == []
