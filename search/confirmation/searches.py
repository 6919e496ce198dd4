"""Searches, told from the studies that confirm them: only a search is confirmed, deployed or has trials to retrain."""

from __future__ import annotations

from tunefront.mistakes import TunefrontError
from tunefront.storage.open_study import StudyRecord


class NotASearchError(TunefrontError):
    """A confirmation was named where a search is needed; the message has the command with the search's name."""


def check_is_search(study: StudyRecord, command: str, rest: str = "") -> None:
    """Check that a study is no confirmation.

    Args:
        command: What was asked for, such as ``retrain``.
        rest: What follows the study's name in that command.

    Raises:
        NotASearchError: If the study confirms another one.
    """
    search = study.spec.get("confirms")
    if search:
        raise NotASearchError(
            f"{study.name} is the confirmation of {search}, and 'tunefront {command}' takes the search: "
            f"write 'tunefront {command} {search}{rest}'"
        )
