"""The memory that a model needs on a microcontroller, read from what its interpreter prints."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunefront.mistakes import TunefrontError

_LINE = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")


class ArenaTextError(TunefrontError):
    """The interpreter printed something else than expected, so that the arena is not known."""


@dataclass(frozen=True)
class Arena:
    """The arena of a model: the one block of memory that the interpreter works in.

    Attributes:
        tensor_bytes: The bytes of the values between the layers, which layers share one after another.
        structure_bytes: The bytes of the interpreter's own records of tensors and layers, of 64-bit pointers.
    """

    tensor_bytes: int
    structure_bytes: int

    @property
    def n_bytes(self) -> int:
        """The bytes of the whole arena."""
        return self.tensor_bytes + self.structure_bytes


def read_arena(output: str) -> Arena:
    """Return the arena that a process of the interpreter printed.

    Raises:
        ArenaTextError: If the text does not tell it, or its parts are not the whole: a changed text is no arena of 0.
    """
    found = dict(_LINE.findall(output))
    if found.keys() != {"total", "head", "tail"} or int(found["total"]) != int(found["head"]) + int(found["tail"]):
        raise ArenaTextError(
            "tflite-micro does not print its arena as it did: arena_bytes is not known. Install another of its nightly "
            f"versions. It printed: {output.strip()[-300:]!r}"
        )
    return Arena(tensor_bytes=int(found["head"]), structure_bytes=int(found["tail"]))
