"""The images that exported files are scored on."""

from __future__ import annotations

from tunefront.search.data.dataset import Dataset, Split


def scored_images(dataset: Dataset, *, is_confirmed: bool) -> tuple[str, Split]:
    """Return the name of the split and its images: validation, or test for a model of a confirmation.

    The test images have chosen nothing there, and choose nothing here: whatever is exported is scored.
    """
    if is_confirmed and dataset.n_test:
        return "test", dataset.split("test")
    return "validation", dataset.split("validation")
