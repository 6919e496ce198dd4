"""What may vary: ranges, candidates, and how a candidate becomes a Keras model."""

from spaces.candidate import Candidate
from spaces.settings import SpaceError
from spaces.space import Space

__all__ = ["Candidate", "Space", "SpaceError"]
