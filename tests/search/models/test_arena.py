from __future__ import annotations

import pytest

from tunefront.search.models.arena import Arena, ArenaTextError, read_arena

PRINTED = """INFO: something else
[RecordingMicroAllocator] Arena allocation total 6360 bytes
[RecordingMicroAllocator] Arena allocation head 4096 bytes
[RecordingMicroAllocator] Arena allocation tail 2264 bytes
[RecordingMicroAllocator] 'TfLiteEvalTensor data' used 360 bytes with alignment overhead
"""


def test_tensors_and_structures_are_told_apart() -> None:
    found = read_arena(PRINTED)
    assert found == Arena(tensor_bytes=4096, structure_bytes=2264)
    assert found.n_bytes == 6360


@pytest.mark.parametrize(
    "changed",
    ["", PRINTED.replace("head", "Head"), PRINTED.replace("6360", "6361"), PRINTED.replace("6360 bytes", "6.4 kB")],
    ids=["nothing", "other word", "other sum", "other unit"],
)
def test_a_changed_text_is_an_error_and_no_arena_of_0(changed: str) -> None:
    with pytest.raises(ArenaTextError, match="arena_bytes is not known"):
        read_arena(changed)
