"""A stored spec as TOML is read back by Python's own reader."""

from __future__ import annotations

import tomllib

from tunefront.reports.page.toml_text import toml_text


def test_a_spec_is_read_back_as_it_was() -> None:
    spec = {
        "name": 'a "quoted"\nname\x7f',
        "seed": 1,
        "objectives": {"memory": {"measure": "model_bytes", "at_most": 1e-05}},
        "space": {
            "optimizer": ["adam", "sgd"],
            "cnn": {
                "filters": {"low": 1, "high": 3},
                "odd key.": True,
                "rate": {"low": 1e-4, "high": 0.1, "log": True},
            },
        },
        "limit": float("inf"),
    }
    assert tomllib.loads(toml_text(spec)) == spec


def test_what_toml_cannot_write_and_what_is_empty_is_left_out() -> None:
    spec = {
        "seed": 1,
        "stop": {"patience": None},
        "limits": {},
        "start": [],
        "deploy": {"device": None, "precision": "int8"},
    }
    assert toml_text(spec) == 'seed = 1\n\n[deploy]\nprecision = "int8"\n'
