from __future__ import annotations

import importlib.util

import pytest

from tunefront.search.models.extras import MissingExtraError, check_installed, is_installed


def test_the_extras_to_install_are_named_when_packages_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> object:
        return None if name in ("ai_edge_litert", "tflite_micro") else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    assert not is_installed("litert")
    with pytest.raises(MissingExtraError) as raised:
        check_installed(["litert", "micro", "litert"], "arena_bytes")
    assert str(raised.value) == "arena_bytes needs another package: pip install 'tunefront[litert,micro]'"
