"""A grid of architectures and freeze fractions, for which each backbone is built once."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunefront.mistakes import nearest
from tunefront.search.launching.asker import CheckError
from tunefront.search.models.flops import flops
from tunefront.search.profiling.profile import Profile, profile_of
from tunefront.spaces.architectures import ARCHITECTURES, BACKBONE_NAMES
from tunefront.spaces.candidate import Candidate
from tunefront.spaces.freeze_choices import distinct_fractions
from tunefront.spaces.freezing import find_backbone, freeze
from tunefront.spaces.optimizers import OPTIMIZERS
from tunefront.spaces.settings import extremes
from tunefront.spaces.space import Space


@dataclass(frozen=True)
class ProfileGrid:
    """The grid of architectures and freeze fractions, with random weights, average pooling and a dense softmax layer.

    An architecture without a backbone has no freeze fraction and the first value of each of its settings.

    Attributes:
        width: The width multiplier of backbones that have one.
    """

    architectures: tuple[str, ...]
    freeze_fractions: tuple[float, ...]
    n_classes: int
    image_size: int
    channels: int
    optimizer: str
    width: float = 1.0

    @classmethod
    def parse(
        cls,
        architectures: str,
        freeze_fractions: str,
        n_classes: int,
        image_size: int,
        channels: int,
        optimizer: str,
        width: float | None,
    ) -> ProfileGrid:
        """Read comma-separated lists, as a person writes them.

        Raises:
            CheckError: Names the error in a list, before anything is built.
        """
        names = tuple(name.strip() for name in architectures.split(",") if name.strip())
        for name in names:
            if name not in ARCHITECTURES:
                raise CheckError(f"there is no architecture {name!r}. {nearest(name, ARCHITECTURES)}")
            smallest = ARCHITECTURES[name].smallest_image
            if image_size < smallest:
                raise CheckError(f"{name} takes images of at least {smallest} pixels, these have {image_size}")
        if optimizer not in OPTIMIZERS:
            raise CheckError(f"there is no optimizer {optimizer!r}. {nearest(optimizer, OPTIMIZERS)}")
        if width is not None and not 1 / 32 < width < 10:
            raise CheckError(f"width {width} is not possible; it must be above {1 / 32:g} and below 10")
        fractions = tuple(_fraction(text) for text in freeze_fractions.split(",") if text.strip())
        if not names or not fractions:
            raise CheckError("give at least one architecture and one freeze fraction")
        return cls(names, fractions, n_classes, image_size, channels, optimizer, 1.0 if width is None else width)

    def fractions_of(self, architecture: str) -> Sequence[float]:
        """Return the freeze fractions that train different layers; a single one without a backbone."""
        if architecture not in BACKBONE_NAMES:
            return self.freeze_fractions[:1]
        return distinct_fractions(architecture, self.freeze_fractions)[0]

    @property
    def note(self) -> str:
        """Return for people which freeze fractions are left out, a line each."""
        backbones = [name for name in self.architectures if name in BACKBONE_NAMES]
        return "\n".join(line for name in backbones for line in distinct_fractions(name, self.freeze_fractions)[1])

    def candidate(self, architecture: str, freeze_fraction: float) -> Candidate:
        """Return the candidate of one model of the grid."""
        ranges = {name: setting.default for name, setting in ARCHITECTURES[architecture].settings.items()}
        chosen = {name: extremes(spec_range)[0] for name, spec_range in ranges.items()}
        if "freeze_fraction" in chosen:
            chosen |= {"freeze_fraction": freeze_fraction, "weights": "none", "dropout": 0.0}
        if "width" in chosen:
            chosen["width"] = self.width
        settings = {name: extremes(setting.default)[0] for name, setting in OPTIMIZERS[self.optimizer].items()}
        return Candidate(architecture, chosen, self.optimizer, settings, image_size=self.image_size)


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise CheckError(f"{text.strip()!r} is no freeze fraction: write numbers from 0 to 1, such as 0,0.1,0.8,1")
    return value


def profile_grid(grid: ProfileGrid) -> Iterator[Profile]:
    """Yield the profiles of the grid's models; each backbone is built once, and dropped before the next one.

    It also clears Keras's global state, names and dtype policy.

    Raises:
        ValueError: If there is no such network; the message says what to change.
    """
    import keras

    space = Space.from_table({})
    image_shape = (grid.image_size, grid.image_size, grid.channels)
    for name in grid.architectures:
        model = space.build(grid.candidate(name, 0.0), image_shape, grid.n_classes)
        n_flops, backbone = flops(model), find_backbone(model)
        for freeze_fraction in grid.fractions_of(name):
            if backbone is not None:
                freeze(backbone, freeze_fraction)
            yield profile_of(model, grid.candidate(name, freeze_fraction), n_flops, image_shape)
        del model, backbone
        keras.utils.clear_session()
        gc.collect()
