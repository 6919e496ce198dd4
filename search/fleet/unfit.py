"""The reasons why this machine leaves a study to others: they are told once, and other studies are taken."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunefront.approvals import Approvals
from tunefront.mistakes import TunefrontError
from tunefront.objectives.measures import DEPLOYMENT_MEASURES
from tunefront.search.data.dataset import Dataset
from tunefront.search.data.splitting.content_digests import describe_difference
from tunefront.search.fleet.named_files import code_references, find_code, named_paths
from tunefront.search.models.extras import check_installed
from tunefront.search.models.variants import RUNTIMES, Runtime
from tunefront.search.preparation.prepare import check_files
from tunefront.search.sampling.samplers import missing_extra
from tunefront.search.spec.study_spec import StudySpec
from tunefront.spaces.settings import SpaceError
from tunefront.storage.artifacts.address import is_folder, open_artifacts
from tunefront.storage.artifacts.artifact_store import ArtifactStore
from tunefront.storage.artifacts.study_artifacts import address_of, is_named_here
from tunefront.storage.open_study import OpenStudy, StudyRecord


class UnfitError(TunefrontError):
    """This machine cannot work on a study, or may not; the message says why, and what would change that."""


@dataclass(frozen=True)
class Trust:
    """What a worker may read and run of what specs from the store name.

    Attributes:
        roots: Folders below which all may be read.
        allows_own_code: Whether any code may run.
        approvals: Reads what this user has named on this machine, by now.
    """

    roots: Sequence[Path] = ()
    allows_own_code: bool = False
    approvals: Callable[[], Approvals] = Approvals

    def check(self, study: OpenStudy, spec: StudySpec) -> None:
        """Refuse code and paths of a study's stored spec that this user has not approved.

        Raises:
            UnfitError: Names the study, the key and the remedy.
            ApprovalsError: If the approvals cannot be trusted.
        """
        self.check_code_of(study.name, spec.as_json())
        try:
            self.check_paths(named_paths(spec.as_json()))
        except UnfitError as error:
            raise UnfitError(f"study {study.name!r}: {error}") from None

    def check_code_of(self, name: str, spec: Mapping[str, Any]) -> None:
        """Refuse code of a study that this user has not approved.

        Args:
            name: The study's name, for the message.
            spec: Its spec as JSON.

        Raises:
            UnfitError: Names the study, the object, its file and the remedy.
        """
        try:
            self._check_code(spec)
        except UnfitError as error:
            raise UnfitError(f"study {name!r}: {error}") from None

    def check_code(self, spec: StudySpec) -> None:
        """Refuse code that this user has not approved.

        Raises:
            UnfitError: Names the object, its file and the remedy.
        """
        self._check_code(spec.as_json())

    def _check_code(self, spec: Mapping[str, Any]) -> None:
        references = [] if self.allows_own_code else code_references(spec)
        approvals = self.approvals() if references else Approvals()
        for reference in references:
            file = find_code(reference)
            if file is None:
                raise UnfitError(f"it runs {reference}, which is not on this machine (looked for in {Path.cwd()})")
            try:
                is_approved = approvals.allow_code(file)
            except OSError as error:
                raise UnfitError(f"it runs {reference}, and {file} cannot be read: {error.strerror}") from None
            if not is_approved:
                known = "has changed since you approved it" if str(file) in approvals.code else "was not approved"
                raise UnfitError(
                    f"it runs the code of {file}, which {known} on this machine: 'tunefront submit SPEC' or "
                    "'tunefront run SPEC' here approves it, and --allow-own-code approves all"
                )

    def check_paths(self, named: Sequence[tuple[str, Path]]) -> None:
        """Refuse to read or write what lies outside of the folders that this user has named.

        Args:
            named: The key that names each path, and its real path.

        Raises:
            UnfitError: Names the key, the path and the remedy.
        """
        outside = [(key, path) for key, path in named if not any(path.is_relative_to(root) for root in self.roots)]
        approvals = self.approvals() if outside else Approvals()
        for key, path in outside:
            if not approvals.allow_path(path):
                raise UnfitError(
                    f"{key} is {path}, which lies below no --data-root, and which nobody approved on this machine: "
                    f"add --data-root {path if path.is_dir() else path.parent}"
                )

    def open_named(self, study: OpenStudy) -> ArtifactStore | None:
        """Open the place for artifacts that the store names by now, if this worker may; None if it names none.

        Raises:
            UnfitError, ArtifactsAddressError: If it may not, or it is no such place.
        """
        address = self.read_address(study)
        return open_artifacts(address) if address else None

    def read_address(self, study: OpenStudy) -> str:
        """Return the address of a study's artifacts as this machine sees it, checked; empty if it has none.

        It is read once: what is checked is what is used, whoever changes it in the store meanwhile.

        Raises:
            UnfitError: If it is a folder that this user has not named; names it and the remedy.
        """
        address = address_of(study)
        if is_folder(address) and not is_named_here():
            self.check_paths([("its place for artifacts", Path(os.path.realpath(address)))])
        return address


def read_spec_of(study: StudyRecord) -> StudySpec:
    """Read a study's spec as the store has it; runs nobody's code.

    Raises:
        UnfitError: If this tunefront does not know all that it says.
    """
    try:
        return StudySpec.from_json(study.spec)
    except ValidationError as error:
        problem = error.errors()[0]
        why = f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
    except (SpaceError, TunefrontError, KeyError, TypeError, ValueError) as error:
        why = str(error)
    raise UnfitError(f"this tunefront cannot read its spec ({why}): use the version that submitted it")


def check_extras(spec: StudySpec, place: str) -> None:
    """Check that the packages are installed that a study needs.

    Args:
        place: What messages call the spec.

    Raises:
        MissingExtraError: Names the extra to install.
    """
    for name in spec.deployment_measures:
        check_installed(_runtimes(name), f"{place}: {name}")


def check_fitness(study: OpenStudy, trust: Trust) -> StudySpec:
    """Return a study's spec, if this machine can work on the study, as far as a moment tells.

    Raises:
        TunefrontError: If it cannot, or may not.
    """
    spec = read_spec_of(study.record)
    missing = missing_extra(spec.sampler)
    if missing:
        raise UnfitError(missing)
    check_extras(spec, "it")
    trust.check_code(spec)
    trust.check_paths(named_paths(spec.as_json()))
    trust.read_address(study)
    check_files(f"study {study.name}", spec.data)
    return spec


def check_data(study: StudyRecord, dataset: Dataset) -> None:
    """Check that this machine's data are those that a study began with.

    Raises:
        UnfitError: Says what differs.
    """
    stored: Mapping[str, Any] = study.dataset
    if stored.get("fingerprint") == dataset.fingerprint:
        return
    sizes = {"training": "n_train", "validation": "n_validation", "test": "n_test"}
    told = [
        f"{name} has {getattr(dataset, key)} here and {stored[key]} there"
        for name, key in sizes.items()
        if key in stored and stored[key] != getattr(dataset, key)
    ]
    if list(stored.get("class_names", ())) != list(dataset.class_names):
        told.append("the classes have other names")
    what = describe_difference(stored.get("digests") or {}, dataset.digests)
    what += f" ({', '.join(told)})" if told else ""
    raise UnfitError(
        f"its data are not those of this machine. What differs: {what}. "
        "Put the data that the study began with where its spec says"
    )


def _runtimes(measure: str) -> list[Runtime]:
    return [runtime for runtime in RUNTIMES if runtime in DEPLOYMENT_MEASURES[measure]]
