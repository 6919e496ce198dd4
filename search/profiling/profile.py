"""The profile of one model: its weights and computation, without training it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tunefront.search.data.dataset import Dataset
from tunefront.search.data.encoder import encoder_of, kept_model
from tunefront.search.data.label_scale import LabelScale
from tunefront.search.models.flops import flops
from tunefront.spaces.architectures import ARCHITECTURES
from tunefront.spaces.candidate import Candidate, Settings
from tunefront.spaces.columns.layers import flat_pixels
from tunefront.spaces.freezing import find_backbone
from tunefront.spaces.optimizers import build_optimizer
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.ranges import Fixed, Value
from tunefront.spaces.space import Space


@dataclass(frozen=True)
class Profile:
    """The profile of one model.

    Attributes:
        image_size: ``height x width`` of the pixels that its layers get.
        width: The width multiplier; None if the architecture has none. The same holds for `freeze_fraction`.
        settings: The architecture's other settings, without those that its definition fixes.
        n_layers: The number of layers of the backbone, as freeze fractions count them, or else of the model.
        parameters: The count of numbers in all weights.
        flops: The operations of the forward pass of one image, counted by
            :func:`tunefront.search.models.flops.flops`; None if it cannot count them.
    """

    architecture: str
    image_size: str
    width: float | None
    freeze_fraction: float | None
    optimizer: str
    settings: Mapping[str, Value]
    n_layers: int
    parameters: int
    trainable_parameters: int
    weight_bytes: int
    model_bytes: int
    flops: int | None

    def as_json(self) -> dict[str, Any]:
        """Return plain data for programs."""
        return asdict(self)


def profile(
    space: Space | OwnSpace,
    candidate: Candidate,
    image_shape: tuple[int, ...],
    n_outputs: int,
    dataset: Dataset | None = None,
) -> Profile:
    """Build one candidate in float32 and profile it, with random weights, which weigh as much as pretrained ones.

    Args:
        dataset: The data that the model is for, if it is known: its columns are part of the saved model.

    Raises:
        ValueError: If there is no such network; the message says what to change.
        SpaceError: If a user's own code fails.
    """
    if "weights" in candidate.architecture_settings and isinstance(space, Space):
        candidate = replace(candidate, architecture_settings={**candidate.architecture_settings, "weights": "none"})
    encode = encoder_of(dataset) if dataset is not None else flat_pixels
    model = space.build(candidate, image_shape, n_outputs, encode)
    if candidate.output == "linear":
        from tunefront.search.trial.trainable import in_unit_of_labels

        model = in_unit_of_labels(model, LabelScale(0.0, 1.0), image_shape)
    kept = kept_model(model, dataset) if dataset is not None else model
    return profile_of(model, candidate, flops(model), image_shape, kept)


def profile_of(
    model: Any, candidate: Candidate, n_flops: int | None, image_shape: tuple[int, ...], kept: Any = None
) -> Profile:
    """Return the profile of a model that was built in float32 from that candidate.

    Args:
        kept: The model that is saved, where it is another one.
    """
    from tunefront.search.trial import memory

    settings = dict(candidate.architecture_settings)
    size = (candidate.image_size,) * 2 if candidate.image_size else image_shape[:-1]
    optimizer = build_optimizer(candidate.optimizer, candidate.optimizer_settings)
    optimizer.build(model.trainable_variables)
    return Profile(
        architecture=candidate.architecture,
        image_size="x".join(map(str, size)),
        width=_number(settings.pop("width", None)),
        freeze_fraction=_number(settings.pop("freeze_fraction", None)),
        optimizer=candidate.optimizer,
        settings=_varying_settings(candidate.architecture, settings),
        n_layers=len((find_backbone(model) or model).layers),
        parameters=memory.n_parameters(model.weights),
        trainable_parameters=memory.n_parameters(model.trainable_weights),
        weight_bytes=memory.weight_bytes(model),
        model_bytes=memory.model_bytes(kept or model, optimizer),
        flops=n_flops,
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _varying_settings(architecture: str, settings: Settings) -> dict[str, Value]:
    """Return the settings that differ from the fixed ones of the architecture's definition."""
    known = ARCHITECTURES[architecture].settings if architecture in ARCHITECTURES else {}
    return {
        name: value
        for name, value in settings.items()
        if name != "weights"
        and ("dropout" not in name or value)
        and (name not in known or known[name].default != Fixed(value))
    }
