"""What may vary: ranges, candidates, and how a candidate becomes a Keras model."""

from spaces.candidate import Candidate
from spaces.own import OwnSpace
from spaces.settings import SpaceError
from spaces.space import Space

__all__ = ["Candidate", "OwnSpace", "Space", "SpaceError"]
