"""The space of a study: ranges, candidates, and how a candidate becomes a Keras model."""

from tunefront.spaces.candidate import Candidate
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.space import Space

__all__ = ["Candidate", "OwnSpace", "Space", "SpaceError"]
