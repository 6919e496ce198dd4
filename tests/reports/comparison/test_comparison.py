"""Two studies side by side, against fronts worked out by hand."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.reports.report_fixture import DATASET, THREE, ReportFixture
from tunefront.reports.comparison.comparison import ComparisonError, compare_studies
from tunefront.reports.comparison.table import comparison_table, describe_comparison
from tunefront.reports.study_results import StudyResults

Values = tuple[float, float, float]


def study(folder: Path, name: str, models: list[Values], objectives: Any = THREE, **facts: Any) -> StudyResults:
    dataset = {**DATASET, "fingerprint": "abc", **facts}
    fixture = ReportFixture.make(folder, objectives, name=name, dataset=dataset)
    for values in models:
        fixture.complete(*values)
    return fixture.results()


def test_the_common_front_is_what_neither_study_beats(tmp_path: Path) -> None:
    old = study(tmp_path, "old", [(0.90, 1000, 2.0), (0.80, 500, 1.0), (0.70, 100, 0.5)])
    new = study(tmp_path, "new", [(0.95, 900, 1.5), (0.85, 450, 1.2), (0.60, 90, 0.9)])
    comparison = compare_studies(old, new)
    found = [(m.results.study.name, m.trial.number, m.is_on_common_front, m.beaten_by) for m in comparison.members]
    assert found == [
        ("new", 0, True, None),
        ("old", 0, False, 0),  # beaten by 0.95, 900, 1.5
        ("new", 1, True, None),
        ("old", 1, True, None),  # 1.0 s is less than 1.2 s
        ("old", 2, True, None),
        ("new", 2, True, None),
    ]
    assert describe_comparison(comparison) == [
        "old: 2 of 3 models of its front are on the common front.",
        "new: 3 of 3 models of its front are on the common front.",
    ]
    frame = comparison.frame()
    assert frame["model_bytes"].tolist() == [900, 1000, 450, 500, 100, 90]
    assert frame["beaten_by"].isna().sum() == 5
    console = Console(file=io.StringIO(), width=120)
    console.print(comparison_table(comparison))
    assert "new 0" in console.file.getvalue()  # type: ignore[attr-defined]


def test_another_seed_is_said(tmp_path: Path) -> None:
    old = study(tmp_path, "old", [(0.9, 1000, 2.0)])
    new = study(tmp_path, "new", [(0.9, 1000, 2.0)], fingerprint="def")
    new.study.spec["seed"] = 8  # type: ignore[index]
    assert "divided by another seed (7 and 8): models" in compare_studies(old, new).note
    for results, path in ((old, "photos"), (new, "elsewhere")):
        results.study.spec["data"] = {"source": "folder", "path": path}  # type: ignore[index]
    assert "and lie in other places: whether they are the same ones cannot" in compare_studies(old, new).note
    assert compare_studies(old, old_again(tmp_path)).note == ""


def old_again(folder: Path) -> StudyResults:
    return study(folder, "again", [(0.9, 1000, 2.0)])


def test_other_images_are_refused(tmp_path: Path) -> None:
    old = study(tmp_path, "old", [(0.9, 1000, 2.0)])
    with pytest.raises(ComparisonError, match=r"other images \(n_train differ\)"):
        compare_studies(old, study(tmp_path, "new", [(0.9, 1000, 2.0)], fingerprint="def", n_train=7))
    with pytest.raises(ComparisonError, match=r"other images \(the files differ\)"):
        compare_studies(old, study(tmp_path, "same", [(0.9, 1000, 2.0)], fingerprint="def"))


def test_other_measures_are_refused(tmp_path: Path) -> None:
    other = {**THREE, "time": {"measure": "latency_seconds"}}
    old, new = study(tmp_path, "old", [(0.9, 1000, 2.0)]), study(tmp_path, "new", [], other)
    with pytest.raises(ComparisonError, match="'old' measures time as train_seconds, 'new' as latency_seconds"):
        compare_studies(old, new)


def test_one_study_twice_is_refused(tmp_path: Path) -> None:
    old = study(tmp_path, "old", [(0.9, 1000, 2.0)])
    with pytest.raises(ComparisonError, match="named twice"):
        compare_studies(old, old)


def test_studies_of_two_storages_may_have_one_name_and_number(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    pair = study(tmp_path, "digits", [(0.9, 1000, 2.0)]), study(tmp_path / "other", "digits", [(0.8, 500, 1.0)])
    assert pair[0].study.study_id == pair[1].study.study_id
    assert [member.is_on_common_front for member in compare_studies(*pair).members] == [True, True]


def test_studies_without_a_front(tmp_path: Path) -> None:
    comparison = compare_studies(study(tmp_path, "old", []), study(tmp_path, "new", []))
    assert comparison.frame().empty
    assert describe_comparison(comparison)[0] == "old: 0 of 0 models of its front are on the common front."
