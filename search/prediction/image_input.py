"""An image in a file or behind an address, decoded as the training's images were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tunefront.search.data.decoding.decode import BadImageError, Decoding, decode
from tunefront.search.prediction.examples import UnseenExample


@dataclass(frozen=True)
class ImageInput:
    """One image.

    Attributes:
        read: Returns the encoded bytes, or raises OSError.
    """

    name: str
    read: Callable[[], bytes]
    decoding: Decoding

    def examples(self) -> Iterator[UnseenExample]:
        """Yield the image's pixels."""
        try:
            yield UnseenExample(self.name, decode(self.read, self.decoding).pixels)
        except BadImageError as error:
            yield UnseenExample(self.name, problem=str(error))
