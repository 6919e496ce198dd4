"""The place of a study's artifacts, whose address is stored with the study."""

from __future__ import annotations

import os

from tunefront.storage.artifacts.address import full_address, open_artifacts
from tunefront.storage.artifacts.artifact_store import ArtifactsAwayError, ArtifactStore
from tunefront.storage.artifacts.rows import digests_in
from tunefront.storage.open_study import OpenStudy

ADDRESS = "artifacts"  # user attribute of a study in Optuna
_VARIABLE = "TUNEFRONT_ARTIFACTS"


def stored_address(study: OpenStudy) -> str:
    """Return the address that the study was last run with; empty if it has none."""
    return str(study.optuna.user_attrs.get(ADDRESS, ""))


def address_of(study: OpenStudy) -> str:
    """Return the address of the study's artifacts as this machine sees it; empty if it has none.

    A folder may be mounted elsewhere here than where the study ran, so ``TUNEFRONT_ARTIFACTS`` goes before.

    Raises:
        ArtifactsAddressError: If the variable has no address.
    """
    stored = stored_address(study)
    given = os.environ.get(_VARIABLE, "")
    return full_address(given) if given and stored else stored


def artifacts_of(study: OpenStudy) -> ArtifactStore | None:
    """Return the place of the study's artifacts; None if it has none."""
    address = address_of(study)
    return open_artifacts(address) if address else None


def begin(study: OpenStudy, address: str) -> ArtifactStore | None:
    """Let a run keep the study's artifacts at `address`, or where they are if that is empty; None if nowhere.

    The place is made ready, so that a mistake is found before the first trial, and the address is stored.

    Raises:
        ArtifactsAddressError: If there is no such kind of place.
        ArtifactsAwayError: If the place cannot be used, or lacks what the study has in its earlier place.
    """
    stored = stored_address(study)
    address = full_address(address) if address else stored
    if not address:
        return None
    artifacts = open_artifacts(address)
    artifacts.prepare()
    if address != stored:
        kept = digests_in([study])
        missing = kept.keys() - set(artifacts.digests()) if kept else set()
        if missing:
            raise ArtifactsAwayError(
                f"--artifacts {address} lacks {len(missing)} of the {len(kept)} files that study {study.name!r} has in "
                f"{stored}: copy all of {stored} there first, or name that place"
            )
        study.optuna.set_user_attr(ADDRESS, address)
    return artifacts
