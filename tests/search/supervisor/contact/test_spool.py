from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.supervisor_fixture import SupervisorFixture, make_spec
from tunefront.search.supervisor.contact.result import TrialResult
from tunefront.search.supervisor.contact.spool import Spool
from tunefront.search.supervisor.kept_models import KeptModels
from tunefront.storage.answers import Answers, ClassCurve
from tunefront.storage.attempts import Lease
from tunefront.storage.curves import Epoch
from tunefront.storage.outcomes import Outcome

CURVES = {"7": ClassCurve(0.75, 0.5, [[0.0, 1.0], [0.1, 1.0]], [[1.0], [0.3]])}
RESULT = TrialResult(
    Lease(3, 14, 2, "anna"),
    Outcome.COMPLETE,
    'it is "so"\nor so',
    {"accuracy": 0.1 + 0.2, "model_bytes": 1e300},
    {"train_seconds": 0.125},
    {"test": Answers([0, 1], [1, 1], [1, 0], {"7": [0, 1]}, CURVES, [[0.5, 2.0]])},
    [Epoch(4, 1 / 3, 0.25, 0.125, {"loss": 1e-17})],
    "/there/trial-14.keras",
)


@pytest.fixture
def models(tmp_path: Path) -> KeptModels:
    return KeptModels(SupervisorFixture(tmp_path, make_spec(), {}).study, tmp_path / "models")


def test_a_result_is_the_same_after_it_was_a_text() -> None:
    assert TrialResult.of_text(RESULT.as_text()) == RESULT
    bare = TrialResult(Lease(1, 0, 1, "anna"), Outcome.RETURNED, epochs=[])
    assert TrialResult.of_text(bare.as_text()) == bare


def test_what_is_kept_is_there_for_the_next_supervisor(tmp_path: Path, models: KeptModels) -> None:
    models.folder.mkdir()
    for ending in ("keras", "json", "predictions.npz"):
        (models.folder / f"trial-14.{ending}").write_text(ending)
    (models.folder / "trial-1.keras").write_text("another trial's")
    spool = Spool(tmp_path / "spool", models)
    spool.add(RESULT)
    assert [path.name for path in models.folder.iterdir()] == ["trial-1.keras"]

    again = Spool(tmp_path / "spool", models)
    assert again.results() == [RESULT]
    assert again.take_problems() == []
    again.bring_model_back(RESULT)
    again.bring_model_back(RESULT)  # a second time changes nothing
    found = {path.name: path.read_text() for path in models.folder.glob("trial-14.*")}
    assert found == {f"trial-14.{ending}": ending for ending in ("keras", "json", "predictions.npz")}
    again.remove(RESULT)
    assert (len(again), list((tmp_path / "spool").iterdir())) == (0, [])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"outcome": "complete"}', RESULT.as_text()[:-200], "null"])
def test_a_file_that_is_no_result_is_told_and_left(tmp_path: Path, models: KeptModels, content: str) -> None:
    path = tmp_path / "spool" / "trial-0-attempt-1.json"
    path.parent.mkdir()
    path.write_text(content)
    spool = Spool(path.parent, models)
    (problem,) = spool.take_problems()
    assert problem.startswith(f"{path} is left as it is, because it cannot be read: ")
    assert len(spool) == 0
    assert path.read_text() == content


def test_a_link_is_not_followed(tmp_path: Path, models: KeptModels) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (tmp_path / "spool").symlink_to(target)
    with pytest.raises(OSError, match="link"):
        Spool(tmp_path / "spool", models)
