"""The architectures a study can choose from, one family a file."""

from collections.abc import Mapping

from tunefront.spaces.architectures.architecture import Architecture
from tunefront.spaces.architectures.backbones import BACKBONES
from tunefront.spaces.architectures.baselines import BASELINES
from tunefront.spaces.architectures.mlp import MLP
from tunefront.spaces.architectures.plain_cnn import PLAIN_CNN
from tunefront.spaces.architectures.pretrained import PRETRAINED
from tunefront.spaces.architectures.residual_cnn import RESIDUAL_CNN
from tunefront.spaces.architectures.separable_cnn import SEPARABLE_CNN

ARCHITECTURES: Mapping[str, Architecture] = {
    architecture.name: architecture
    for architecture in (PLAIN_CNN, RESIDUAL_CNN, SEPARABLE_CNN, MLP, *BASELINES, *PRETRAINED)
}
BASELINE_NAMES = tuple(architecture.name for architecture in BASELINES)
BACKBONE_NAMES = tuple(BACKBONES)

__all__ = ["ARCHITECTURES", "BACKBONE_NAMES", "BASELINE_NAMES", "Architecture"]
