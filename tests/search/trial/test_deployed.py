"""The export of an untrained network leaves no trace in the training that follows."""

from __future__ import annotations

from typing import Any

import pytest

from tunefront.search.data.dataset import Dataset
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.candidate import Candidate

pytest.importorskip("ai_edge_litert", reason="needs tunefront[litert]")


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_training_begins_as_it_would_without_the_export(keras: Any, digits: Dataset, precision: str) -> None:
    import optuna

    from tunefront.search.trial import trainable
    from tunefront.search.trial.deployed import deployed_trained, deployed_untrained

    tables = {"name": "small", "data": {"source": "digits"}, "space": {"augmentation": "none", "optimizer": "adam"}}
    plain = StudySpec.model_validate({**tables, "training": {"precision": precision}})
    wanting = plain.model_copy(update={"limits": {"litert_bytes": 1e6}})
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    candidate = plain.parsed_space().suggest(study.ask())
    assert isinstance(candidate, Candidate)
    models = []
    for spec in (plain, wanting):
        keras.utils.clear_session()
        before = deployed_untrained(spec, candidate, digits)
        assert list(before) == spec.deployment_measures
        keras.utils.set_random_seed(5)
        models.append(trainable.build(spec.parsed_space(), candidate, digits, spec.training, 5).model)
    names = [[weight.path for weight in model.weights] for model in models]
    assert names[0] == names[1]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        assert one.tolist() == other.tolist()
    assert [layer.compute_dtype for layer in models[0].layers] == [layer.compute_dtype for layer in models[1].layers]
    after = deployed_trained(wanting, models[1], digits)
    assert after["litert_bytes"] == pytest.approx(before["litert_bytes"], rel=0.05)  # biases are equal, still 0
    assert deployed_trained(plain, models[0], digits) == {}
