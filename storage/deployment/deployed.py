"""The exported variants of a study's models, as its reports need them: a JSON document for each trial and variant.

They are attributes of the Optuna study, as other notes on it are: no table of ours is needed, an older tunefront goes
on with the store, and the dashboard shows them. The files themselves lie in the folder of the study's results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tunefront.storage.open_study import OpenStudy

_PREFIX = "deployed:"
DEVICE = "deployed_device"  # user attribute of a study: the device that its variants are for


@dataclass(frozen=True)
class DeployedVariant:
    """A model in one precision, for one runtime.

    Attributes:
        trial: The number of the search's trial.
        training: The number of the confirmation's training whose model it is; None for the search's own model.
        model_digest: The digest of the ``.keras`` file that it was made from.
        file: The name of the file; empty if there is none.
        refusal: Why the variant is not offered; empty if it is.
        split: The images that `accuracy` was measured on: ``validation``, or ``test`` for a confirmation's models.
        accuracy: The share of these images that the file classifies correctly; None if it did not run.
        keras_accuracy: The same share for the Keras model.
        same_class: The share of these images that get the same class from both.
        measures: Name with unit -> value: ``file_bytes``, ``litert_latency_seconds`` and so on.
        notes: What could not be measured -> why.
        machine: Where it was measured.
        versions: The versions of the runtimes and of what exported it.
    """

    trial: int
    variant: str
    training: int | None
    model_digest: str
    file: str
    refusal: str
    split: str
    n_images: int
    accuracy: float | None
    keras_accuracy: float
    same_class: float | None
    measures: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def save(study: OpenStudy, variant: DeployedVariant) -> None:
    """Store a variant in place of an earlier one of that trial and name."""
    study.optuna.set_user_attr(f"{_PREFIX}{variant.trial}:{variant.variant}", variant.as_json())


def load(study: OpenStudy) -> list[DeployedVariant]:
    """Read the variants of a study, in the order of their trials and as they were made."""
    attributes = study.optuna.user_attrs
    found = [DeployedVariant(**value) for name, value in attributes.items() if name.startswith(_PREFIX)]
    return sorted(found, key=lambda variant: variant.trial)


def save_device(study: OpenStudy, device: Mapping[str, Any] | None) -> None:
    """Store the device that the study's variants are for; None if there is none."""
    study.optuna.set_user_attr(DEVICE, device)


def has_device_choice(study: OpenStudy) -> bool:
    """Return whether somebody chose a device for the study's variants, or none."""
    return DEVICE in study.optuna.user_attrs


def load_device(study: OpenStudy) -> Mapping[str, Any] | None:
    """Read the device that the study's variants are for: ``name``, ``flash_bytes`` and ``ram_bytes``."""
    found: Mapping[str, Any] | None = study.optuna.user_attrs.get(DEVICE)
    return found
