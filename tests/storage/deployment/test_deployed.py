from __future__ import annotations

from dataclasses import replace

from tests.storage.study_fixture import StudyFixture
from tunefront.storage import studies
from tunefront.storage.deployment import deployed
from tunefront.storage.deployment.deployed import DeployedVariant
from tunefront.storage.open_study import OpenStudy

VARIANT = DeployedVariant(
    trial=10,
    variant="int8",
    training=None,
    model_digest="ab12",
    file="trial-10.int8.tflite",
    refusal="",
    split="validation",
    n_images=360,
    accuracy=0.975,
    keras_accuracy=0.98,
    same_class=0.99,
    measures={"file_bytes": 5608, "litert_latency_seconds": 15e-6},
    notes={"arena_bytes": "not measured"},
    machine={"cpu": "AMD EPYC"},
    versions={"keras": "3.15.1"},
)


def again(fixture: StudyFixture) -> OpenStudy:
    found = studies.find(fixture.store, fixture.study.name)
    assert found is not None
    return found


def test_variants_are_read_as_they_were_stored_in_the_order_of_their_trials(fixture: StudyFixture) -> None:
    assert deployed.load(again(fixture)) == []
    deployed.save(fixture.study, VARIANT)
    deployed.save(fixture.study, replace(VARIANT, trial=9, training=3))
    assert deployed.load(again(fixture)) == [replace(VARIANT, trial=9, training=3), VARIANT]


def test_a_variant_replaces_an_earlier_one_of_its_trial_and_name_alone(fixture: StudyFixture) -> None:
    for variant in (
        VARIANT,
        replace(VARIANT, variant="float32"),
        replace(VARIANT, accuracy=None, refusal="61 % agree"),
    ):
        deployed.save(fixture.study, variant)
    found = {one.variant: (one.accuracy, one.refusal) for one in deployed.load(again(fixture))}
    assert found == {"int8": (None, "61 % agree"), "float32": (0.975, "")}


def test_the_device_is_kept_until_there_is_none(fixture: StudyFixture) -> None:
    assert deployed.load_device(again(fixture)) is None
    assert not deployed.has_device_choice(again(fixture))
    deployed.save_device(fixture.study, {"name": "board", "flash_bytes": 65536, "ram_bytes": 20480})
    assert deployed.load_device(again(fixture)) == {"name": "board", "flash_bytes": 65536, "ram_bytes": 20480}
    deployed.save_device(fixture.study, None)
    assert deployed.load_device(again(fixture)) is None
    assert deployed.has_device_choice(again(fixture))
