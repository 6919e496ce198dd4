"""An architecture as a space sees it: a name, ranges for its settings, and a way to build it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tunefront.spaces.candidate import Settings
from tunefront.spaces.settings import Setting, fixed_values


@dataclass(frozen=True)
class Architecture:
    """A family of models, from pixels or features to features; the space adds what is in front, and the class layer.

    Attributes:
        name: The name in specs and parameters.
        description: A description in one line.
        settings: The settings with their default ranges; a spec may give others.
        layers: A function ``(settings, pixels)`` -> features that takes complete settings; see :meth:`build`.
        smallest_image: The smallest height and width it takes, in pixels.
        takes_images: Whether it takes images; else it takes features of shape ``(batch, n)``, made of any values.
    """

    name: str
    description: str
    settings: Mapping[str, Setting]
    layers: Callable[[Settings, Any], Any]
    smallest_image: int = 1
    takes_images: bool = True

    def build(self, settings: Settings, pixels: Any) -> Any:
        """Put the architecture's layers behind `pixels`.

        Args:
            settings: Values of its settings; those with a single default may be left out.
            pixels: A Keras tensor of shape ``(batch, height, width, channels)``, 0 to 255; or of features, of shape
                ``(batch, n)``, where it takes no images.

        Returns:
            Features of shape ``(batch, n)``.

        Raises:
            ValueError: If there is no such network, or none for images of this size; says what to change.
        """
        height, width = pixels.shape[1:3] if self.takes_images else (1, 1)
        if min(height, width) < self.smallest_image:
            raise ValueError(
                f"{self.name} takes images of at least {self.smallest_image}x{self.smallest_image} pixels, these have "
                f"{height}x{width}: write image_size = {self.smallest_image} or more, or choose another architecture"
            )
        return self.layers({**fixed_values(self.settings), **settings}, pixels)
