"""Networks with more outputs than there are classes: those beyond are answers that are always wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from tests.candidates import candidate
from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.reports.confirmation.image_scores import scores_on
from tunefront.search.data.cache import prepare
from tunefront.search.data.classes import check_n_classes
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.examples import DataError
from tunefront.search.data.sources.digits import DigitsSource
from tunefront.search.launching.asker import CheckError
from tunefront.search.preparation.checks import check
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.spec.training import TrainingTable
from tunefront.spaces.space import Space
from tunefront.storage.answers import Answers


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The digits 7, 0 and 3, in this order, for networks of ten outputs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEFRONT_CACHE", str(tmp_path_factory.mktemp("cache")))
        return prepare(DigitsSource(source="digits", classes=["7", "0", "3"], n_classes=10), seed=1)


def some_answers(n_classes: int, n_outputs: int) -> tuple[Any, Any]:
    """Return labels and probabilities, of which about a third name no class."""
    random = np.random.default_rng(4)
    labels = random.integers(n_classes, size=90)
    probabilities = random.random((90, n_outputs)) + 0.5 * np.eye(n_outputs)[labels]
    return labels, (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)


def test_scores_are_those_of_scikit_learn_over_the_classes_there_are() -> None:
    from tunefront.search.trial.scores import score

    labels, probabilities = some_answers(3, 6)
    chosen = probabilities.argmax(axis=1)
    assert (chosen >= 3).sum() > 10
    over: dict[str, Any] = {"labels": [0, 1, 2], "average": "macro"}
    found = score(labels, probabilities, wants_auc=True, n_classes=3)
    assert found == pytest.approx(
        {
            "loss": metrics.log_loss(labels, probabilities, labels=range(6)),
            "accuracy": metrics.accuracy_score(labels, chosen),
            "f1_macro": metrics.f1_score(labels, chosen, **over),
            "precision": metrics.precision_score(labels, chosen, **over),
            "recall": metrics.recall_score(labels, chosen, **over),
            "auc": np.mean([metrics.roc_auc_score(labels == c, probabilities[:, c]) for c in range(3)]),
        },
        rel=1e-6,
    )


def test_two_classes_of_more_outputs_have_the_measures_of_two() -> None:
    from tunefront.search.trial.scores import score

    labels, probabilities = some_answers(2, 7)
    chosen = probabilities.argmax(axis=1)
    found = score(labels, probabilities, 0, n_classes=2)
    assert found["f1_binary"] == metrics.f1_score(labels == 0, chosen == 0)
    assert found["precision"] == metrics.precision_score(labels == 0, chosen == 0)
    assert found["recall"] == metrics.recall_score(labels == 0, chosen == 0)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(labels == 0, probabilities[:, 0]))
    assert "top_5_accuracy" not in found


@pytest.mark.parametrize(("n_classes", "n_outputs"), [(7, 12), (2, 7)])
@pytest.mark.parametrize("measure", ["accuracy", "top_5_accuracy", "f1_macro", "precision", "recall", "auc"])
def test_answers_give_the_same_scores_again(measure: str, n_classes: int, n_outputs: int) -> None:
    from tunefront.search.trial.image_answers import image_answers
    from tunefront.search.trial.scores import score

    labels, probabilities = some_answers(n_classes, n_outputs)
    expected = score(labels, probabilities, 1, wants_auc=True, n_classes=n_classes)
    if measure in expected:
        answers = Answers(**image_answers(labels, probabilities, measure, 1, n_classes=n_classes))
        found = scores_on(np.ones((1, 90), np.float32), [answers], measure, n_classes, 1)
        assert found[0, 0] == pytest.approx(expected[measure])


def test_a_network_has_all_outputs_and_its_labels_are_the_first(keras: Any, three: Dataset, tmp_path: Path) -> None:
    from tunefront.search.trial import trainable as training
    from tunefront.search.trial.final_scores import final_scores
    from tunefront.search.trial.fit import fit
    from tunefront.search.trial.goal import Goal

    assert (three.n_classes, three.n_outputs, three.class_names) == (3, 10, ("7", "0", "3"))
    chosen = candidate(augmentation="custom", class_weights="balanced", label_smoothing=0.1)
    chosen = replace(chosen, augmentation_settings={**chosen.augmentation_settings, "mixup": 0.2})
    keras.utils.set_random_seed(1)
    table = TrainingTable(epochs=5)
    trainable = training.build(Space.from_table({}), chosen, three, table, 1)
    goal = Goal("accuracy", three.positive_class, three.n_classes)
    _, counted = fit(trainable, three, table, goal, lambda result: True, seed=1)
    training.save(trainable, str(tmp_path / "model.keras"))
    model = keras.models.load_model(tmp_path / "model.keras")
    assert model.output_shape == (None, 10)
    split = three.split("validation")
    predicted = np.asarray(model.predict(np.array(split.images), verbose=0)).argmax(axis=1)
    assert float((predicted == split.labels).mean()) == pytest.approx(counted.accuracy)
    assert counted.accuracy > 0.9
    scores, answers, _ = final_scores(model, three, goal)
    assert scores["test_accuracy"] == np.mean(np.array(answers["test"]["chosen"]) == answers["test"]["labels"])
    assert "test_top_5_accuracy" not in scores


def test_facts_tell_the_outputs(three: Dataset) -> None:
    assert (three.facts()["outputs"], three.facts()["n_classes"]) == (10, 3)
    chances: Any = three.facts()["chances"]
    assert chances["accuracy"]["score"] == pytest.approx(max(three.class_counts("validation")) / three.n_validation)


@pytest.mark.parametrize(("outputs", "expected"), [(5, 5), (0, None)])
def test_a_kept_models_card_tells_the_outputs(
    fork_server: None, tmp_path: Path, outputs: int, expected: int | None
) -> None:
    fixture = SupervisorFixture(tmp_path, make_spec(trials=1), {}, outputs=outputs)
    fixture.run()
    card = json.loads((fixture.out / "models" / "trial-0.json").read_text())
    assert (card["class_names"], card.get("n_outputs")) == (["0", "1"], expected)


def test_fewer_than_there_are_is_refused(three: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEFRONT_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=r"data\.n_classes: 9 is fewer than the 10 classes of the data: write 10 or"):
        prepare(DigitsSource(source="digits", n_classes=9), seed=1)
    check_n_classes(10, 10)
    check_n_classes(None, 10)
    one_unit = {"name": "d", "data": {"source": "digits"}, "space": {"output": "sigmoid"}}
    with pytest.raises(CheckError, match="one sigmoid unit is for two classes, and there are 10"):
        check(StudySpec.model_validate(one_unit), three)


def test_as_many_as_there_are_change_nothing(digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEFRONT_CACHE", str(tmp_path))
    same = prepare(DigitsSource(source="digits", n_classes=10), seed=1)
    assert (same.n_outputs, same.fingerprint) == (10, digits.fingerprint)
