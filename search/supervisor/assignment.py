"""The assignment of a supervisor: its study and this machine's part in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunefront.search.data.dataset import Dataset
from tunefront.search.launching.slots import Slot
from tunefront.search.spec.study_spec import StudySpec
from tunefront.search.system.links import refuse_link, refuse_links_in
from tunefront.storage.open_study import OpenStudy


@dataclass(frozen=True)
class Assignment:
    """A study, and this machine's part in it.

    Attributes:
        out: The folder for kept models and logs.
        machine: The description of this machine: hardware, versions and slots.
    """

    study: OpenStudy
    spec: StudySpec
    dataset: Dataset
    slots: Sequence[Slot]
    worker_id: str
    out: Path
    machine: Mapping[str, Any] = field(default_factory=dict)

    def log_folder(self, number: int) -> str:
        """Return the folder where a trial writes logs for TensorBoard; empty if the study wants none."""
        if not self.spec.training.tensorboard:
            return ""
        folder = self.out / "tensorboard" / f"trial-{number}"
        refuse_link(folder.parent)
        refuse_links_in(folder)
        return str(folder)
