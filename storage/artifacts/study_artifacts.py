"""The place of a study's artifacts, whose address is stored with the study."""

from __future__ import annotations

import os
from pathlib import Path

from optuna.trial import TrialState

from tunefront.approvals import read_approvals
from tunefront.storage import studies
from tunefront.storage.artifacts.address import ArtifactsAddressError, full_address, is_folder, open_artifacts
from tunefront.storage.artifacts.artifact_store import ArtifactsAwayError, ArtifactStore
from tunefront.storage.artifacts.rows import LOGS, MODELS, read
from tunefront.storage.open_study import OpenStudy

ADDRESS = "artifacts"  # user attribute of a study in Optuna
_VARIABLE = "TUNEFRONT_ARTIFACTS"


class ForeignPlaceError(ArtifactsAddressError):
    """A folder for artifacts that the store alone names; the message names it and the remedy."""


def stored_address(study: OpenStudy) -> str:
    """Return the address that the study was last run with; empty if it has none."""
    return str(study.optuna.user_attrs.get(ADDRESS, ""))


def address_of(study: OpenStudy) -> str:
    """Return the address of the study's artifacts as this machine sees it; empty if it has none.

    A folder may be mounted elsewhere here than where the study ran, so ``TUNEFRONT_ARTIFACTS`` goes before.

    Raises:
        ArtifactsAddressError: If the variable has no address.
    """
    return _as_seen_here(stored_address(study))


def is_named_here() -> bool:
    """Return whether this machine's user names the place, in ``TUNEFRONT_ARTIFACTS``, and not the store."""
    return bool(os.environ.get(_VARIABLE))


def artifacts_of(study: OpenStudy) -> ArtifactStore | None:
    """Return the place of the study's artifacts; None if it has none.

    Raises:
        ArtifactsAddressError, ForeignPlaceError, ApprovalsError: See :func:`open_here`.
    """
    address = address_of(study)
    return open_here(address) if address else None


def open_here(address: str) -> ArtifactStore:
    """Return the place at an address of the store, unless it is a folder that this machine's user has not named.

    Whoever can write to the store can write any path there.

    Raises:
        ArtifactsAddressError: If there is no such kind of place.
        ForeignPlaceError: If it is such a folder.
        ApprovalsError: If what the user has approved cannot be trusted.
    """
    is_foreign = is_folder(address) and not is_named_here()
    if is_foreign and not read_approvals().allow_path(Path(os.path.realpath(address))):
        raise ForeignPlaceError(
            f"{address} is a folder that only the storage names, and not this machine's user. If it is the place of "
            f"the study's artifacts, name it: TUNEFRONT_ARTIFACTS={address}, or --artifacts of 'run' and 'submit'"
        )
    return open_artifacts(address)


def begin(study: OpenStudy, address: str) -> ArtifactStore | None:
    """Let a run keep the study's artifacts at `address`, or where they are if that is empty; None if nowhere.

    The place is made ready, so that a mistake is found before the first trial, and the address is stored. The one in
    ``TUNEFRONT_ARTIFACTS`` does not replace another, because it is this machine's name of the same place.

    Raises:
        ArtifactsAddressError: If there is no such kind of place.
        ArtifactsAwayError: If the place cannot be used, or lacks what the study has in its earlier place.
        ForeignPlaceError, ApprovalsError: If `address` is empty and nobody here has named where they are.
    """
    stored = stored_address(study)
    artifacts = open_artifacts(address) if address else artifacts_of(study)
    if artifacts is None:
        return None
    address = artifacts.address
    artifacts.prepare()
    if address != stored:
        kept = _digests_of_ended(study)
        missing = kept - set(artifacts.digests()) if kept else set()
        if missing:
            raise ArtifactsAwayError(
                f"--artifacts {address} lacks {len(missing)} of the {len(kept)} files that study {study.name!r} has in "
                f"{stored}: copy all of {stored} there first, or name that place"
            )
        known = stored or _address_of_search(study)
        study.optuna.set_user_attr(ADDRESS, known if address == _as_seen_here(known) else address)
    return artifacts


def find_emptiness(study: OpenStudy, artifacts: ArtifactStore) -> str:
    """Return a sentence if the place has nothing of what the study has there, as when it is not mounted; else empty.

    Raises:
        ArtifactsAwayError: If the place cannot be read.
    """
    kept = _digests_of_ended(study)
    if not kept or any(artifacts.exists(digest) for digest in kept):
        return ""
    return (
        f"{artifacts.address} has none of the {len(kept)} files that study {study.name!r} has put there. If it is a "
        "folder of another machine or disk, it is not mounted: stop this, mount it, and run it again"
    )


def _digests_of_ended(study: OpenStudy) -> set[str]:
    """Read the files that are in the place for sure: those of other trials may be on their way, or never have come."""
    ended = study.optuna.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    files = read(study, (MODELS, LOGS))
    return {file.digest for trial in ended for file in files.get(trial.number, [])}


def _as_seen_here(stored: str) -> str:
    given = os.environ.get(_VARIABLE, "")
    return full_address(given) if given and stored else stored


def _address_of_search(study: OpenStudy) -> str:
    """Return the stored address of the search that a study confirms; empty if it has none, or confirms none."""
    search = study.record.spec.get("confirms")
    return next((stored_address(each) for each in studies.list_all(study.store) if each.name == search), "")
