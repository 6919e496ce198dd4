"""The architectures a study can choose from, one family a file."""

from collections.abc import Mapping

from spaces.architectures.architecture import Architecture
from spaces.architectures.from_scratch import PLAIN_CNN

ARCHITECTURES: Mapping[str, Architecture] = {architecture.name: architecture for architecture in (PLAIN_CNN,)}

__all__ = ["ARCHITECTURES", "Architecture"]
