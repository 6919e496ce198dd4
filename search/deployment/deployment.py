"""A study's models in all variants: made, run, stored and described, one model after another."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tunefront.mistakes import nearest
from tunefront.search.deployment.file_card import file_facts, model_card
from tunefront.search.deployment.plan import DeploymentError, DeploymentPlan, KeptFile
from tunefront.search.deployment.trial_files import ExportTask, make_files
from tunefront.search.launching import machine
from tunefront.search.launching.asker import Asker, Progress
from tunefront.search.launching.fork_server import Launcher
from tunefront.search.launching.slots import Slot
from tunefront.search.models.extras import check_installed, is_installed
from tunefront.search.models.variants import VARIANTS
from tunefront.search.system.child_environment import child_environment
from tunefront.search.system.links import refuse_link
from tunefront.spaces.settings import SpaceError
from tunefront.storage.deployment import deployed
from tunefront.storage.deployment.deployed import DeployedVariant
from tunefront.storage.files import replace_file
from tunefront.storage.open_study import OpenStudy

FOLDER = "deployed"  # in the folder of the study's results
_PACKAGES = ("tunefront", "keras", "tensorflow", "ai-edge-litert", "onnxruntime", "tf2onnx", "tflite-micro")
_MACHINE_FACTS = ("host_name", "cpu", "n_cpus", "os")


def choose_variants(names: str, tell: Callable[[str], None]) -> list[str]:
    """Return the variants of a comma-separated list; of an empty list, all whose packages are installed.

    Args:
        tell: Called with a line on what is left out.

    Raises:
        SpaceError: If there is no such variant.
        MissingExtraError: If a package is missing for a variant that was named, or LiteRT.
    """
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in VARIANTS:
            raise SpaceError("--variants", f"there is no variant {name!r}. {nearest(name, VARIANTS)}")
    if chosen:
        check_installed((VARIANTS[name].runtime for name in chosen), "--variants")
        return chosen
    check_installed(["litert"], "tunefront deploy")
    if not is_installed("onnx"):
        tell("no ONNX variants: pip install 'tunefront[onnx]' adds them")
    if not is_installed("micro"):
        tell("no arenas of microcontrollers: pip install 'tunefront[micro]' adds them")
    return [name for name, variant in VARIANTS.items() if is_installed(variant.runtime)]


@dataclass(frozen=True)
class Deployment:
    """A deployment that is under way.

    Attributes:
        study: The search, open for writing.
        variants: The names of the variants to make.
        out: The folder of the study's results.
        measured: Trial and variant -> seconds for one image, as a person measured them on a device.
    """

    study: OpenStudy
    plan: DeploymentPlan
    variants: Sequence[str]
    out: Path
    measured: Mapping[tuple[int, str], float] = field(default_factory=dict)

    def carry_out(self, asker: Asker, tell: Callable[[str], None]) -> None:
        """Make what is missing, and store it, one model after another: interrupted, it goes on where it was.

        A variant is not made again while its ``.keras`` file is the same and its own file is there.

        Raises:
            AnswerError: If a model or the data cannot be used.
            DeploymentError: If a kept model has no card.
            OSError: If a link stands where a file is to be written.
        """
        folder = self.out / FOLDER
        refuse_link(folder)
        folder.mkdir(parents=True, exist_ok=True)
        before = {(found.trial, found.variant): found for found in deployed.load(self.study)}
        for model in self.plan.models:
            digest = _digest(model.path)
            done = {
                name: before[model.number, name]
                for name in VARIANTS
                if (model.number, name) in before and _is_done(before[model.number, name], model, digest, folder)
            }
            missing = [name for name in self.variants if name not in done]
            if missing:
                self._make(model, digest, missing, folder, asker)
                tell(f"trial {model.number}: {', '.join(missing)}")
            for name, found in done.items():
                self._note_measured(name, found)

    def _make(self, model: KeptFile, digest: str, names: Sequence[str], folder: Path, asker: Asker) -> None:
        card = _read_card(model.path)
        task = ExportTask(
            model=str(model.path),
            variants=names,
            spec=self.plan.spec.as_json(),
            fingerprint=str(self.study.record.dataset["fingerprint"]),
            folder=str(folder.resolve()),
            stem=f"trial-{model.number}",
            is_confirmed=model.training is not None,
        )
        where, versions = _machine_facts(), _versions()
        for document in asker.ask(make_files, task.as_json()):
            ends = document.pop("ends")
            found = DeployedVariant(
                trial=model.number,
                training=model.training,
                model_digest=digest,
                machine=where,
                versions=versions,
                **document,
            )
            found = self._with_measured(found)
            if found.file:
                self._describe(found, ends, card, folder)
            deployed.save(self.study, found)

    def _describe(
        self, variant: DeployedVariant, ends: Mapping[str, Any], card: Mapping[str, Any], folder: Path
    ) -> None:
        facts = file_facts(self.study.name, variant, ends, card)
        stem = f"trial-{variant.trial}.{variant.variant}"
        replace_file(folder / f"{stem}.json", json.dumps(facts, indent=2) + "\n")
        replace_file(folder / f"{stem}.md", model_card(facts))

    def _with_measured(self, variant: DeployedVariant) -> DeployedVariant:
        seconds = self.measured.get((variant.trial, variant.variant))
        if seconds is None:
            return variant
        return replace(variant, measures={**variant.measures, "measured_latency_seconds": seconds})

    def _note_measured(self, name: str, variant: DeployedVariant) -> None:
        found = self._with_measured(variant)
        if found != variant:
            deployed.save(self.study, found)


@contextlib.contextmanager
def make_export_asker(progress: Progress) -> Iterator[Asker]:
    """Yield an asker whose children have Keras on TensorFlow, whatever trained the models, and no GPU."""
    with tempfile.TemporaryDirectory(prefix="tunefront-") as name, child_environment(KERAS_BACKEND="tensorflow"):
        launcher = Launcher(Path(name) / "forkserver.log")
        progress("loading Keras", 0, 1)
        launcher.load()
        yield Asker(launcher, None, Path(name) / "child.log", progress)


def _is_done(found: DeployedVariant, model: KeptFile, digest: str, folder: Path) -> bool:
    is_same = found.model_digest == digest and found.training == model.training
    return is_same and (bool(found.refusal) or (folder / found.file).is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError):
        raise DeploymentError(
            f"{path}: there is no {path.stem}.json beside it, which says what its outputs mean. 'tunefront confirm' "
            "trains the candidate again, and writes one"
        ) from None
    return card


def _machine_facts() -> dict[str, Any]:
    facts = machine.describe([Slot("cpu0", 1)], [], {}, "")
    return {name: facts[name] for name in _MACHINE_FACTS}


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
