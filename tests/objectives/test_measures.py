from __future__ import annotations

from tunefront.objectives.measures import AXES, DEFAULT_MEASURES, MEASURES, known_early

# Measures and limits


def test_measures_carry_their_unit_in_the_name() -> None:
    endings = {"bytes": "_bytes", "seconds": "_seconds"}
    for name, measure in MEASURES.items():
        assert name == measure.name
        assert measure.axis in AXES
        if measure.unit in endings:
            assert name.endswith(endings[measure.unit])


def test_default_measures_stand_on_their_axis() -> None:
    assert tuple(DEFAULT_MEASURES) == AXES
    assert all(MEASURES[name].axis == axis for axis, name in DEFAULT_MEASURES.items())


def test_known_early_is_what_the_built_model_tells() -> None:
    measured = {"model_bytes": 1.0, "weight_bytes": 2.0, "peak_bytes": 3.0, "accuracy": 0.5, "load_average": 1.0}
    assert known_early(measured) == {"model_bytes": 1.0, "weight_bytes": 2.0}
