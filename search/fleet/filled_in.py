"""What a storage fills into a person's spec that leaves it out: code and paths of it need this user's approval."""

from __future__ import annotations

import contextlib

from tunefront.approvals import Approvals, read_approvals
from tunefront.search.fleet.named_files import code_references, find_code, named_paths
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import SpecSource, place_of_spec, read_tables
from tunefront.search.spec.study_spec import StudySpec


def check_filled_in(source: SpecSource, spec: StudySpec) -> None:
    """Refuse code and paths that neither a person's spec names, nor this user has approved on this machine.

    A study that goes on has the stored values of all keys that its spec leaves out. Whoever can write to the storage
    can write any.

    Args:
        source: The spec as the person has written it.
        spec: What it means for the stored study.

    Raises:
        SpecError: Names what it is and the remedy.
        ApprovalsError: If the approvals cannot be trusted.
    """
    written, meant = read_tables(source), spec.as_json()
    own_paths = {path for _, path in named_paths(written)}
    code = [reference for reference in code_references(meant) if reference not in code_references(written)]
    paths = [(key, path) for key, path in named_paths(meant) if path not in own_paths]
    if not code and not paths:
        return
    approvals = read_approvals()
    foreign = [f"the code of {reference}" for reference in code if not _is_approved(reference, approvals)]
    foreign += [f"{key} = {path}" for key, path in paths if not approvals.allow_path(path)]
    if foreign:
        raise SpecError(
            place_of_spec(source),
            "",
            f"it leaves out what the storage's study of this name has: {', '.join(foreign)}. Nobody has named that on "
            "this machine, and whoever can write to the storage could: write it into the spec if you trust it, or give "
            "the spec another name",
        )


def _is_approved(reference: str, approvals: Approvals) -> bool:
    file = find_code(reference)
    with contextlib.suppress(OSError):
        return file is not None and approvals.allow_code(file)
    return False
