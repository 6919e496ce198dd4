from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tunefront.reports.figures.plotly_script import plotly_script
from tunefront.reports.replay.figures import over_time_figure, replay_figures, trade_off_figure
from tunefront.reports.replay.page import render_replay, write_replay
from tunefront.reports.replay.tables import (
    describe_replay,
    repeats_frame,
    replay_frame,
    replay_markdown,
    replay_rows,
    replay_table,
)


def interval(mean: float, width: float = 0.0) -> dict[str, float]:
    return {"mean": mean, "low": mean - width, "high": mean + width}


def strategy(
    pruner: str, epochs: float, *, sampler: str = "random", workers: int = 4, hours: float = 1.0
) -> dict[str, Any]:
    measured = {"epochs_share": epochs, "simulated_hours": hours, "hypervolume_share": 0.9, "front_lost_share": 0.25}
    measured["front_missed_share"] = 0.125
    return {
        "name": f"{sampler}, {pruner}, {workers} workers",
        "sampler": sampler,
        "pruner": pruner,
        "workers": workers,
        **{name: interval(value) for name, value in measured.items()},
        "hypervolume_share": interval(0.9, 0.01),
        "hypervolume_over_time": {"hours": [0.0, 1.0], "mean": [0.0, 0.9], "low": [0.0, 0.89], "high": [0.0, 0.91]},
        "repeats": {name: [value, value] for name, value in measured.items()},
    }


def made(*strategies: dict[str, Any], **facts: Any) -> dict[str, Any]:
    known = {
        "study": "digits.recording",
        "dataset": "digits",
        "n_candidates": 40,
        "n_trainings": 40,
        "n_seeds": 1,
        "n_failed": 0,
        "epochs": 9,
        "n_front": [12],
        "objectives": ["accuracy", "model_bytes"],
        "tolerances": ["0.5 points of accuracy", "5 % of model_bytes"],
        "n_repeats": 50,
        "n_trials": 40,
        "seed": 0,
        "machines": [{"cpu": "EPYC", "gpus": [], "slots": ["cpu0", "cpu1"], "host_name": "secret"}],
    }
    return {"facts": {**known, **facts}, "strategies": list(strategies)}


REPLAY = made(strategy("oracle", 0.2), strategy("none", 1.0), strategy("pareto:0.05", 0.4), strategy("pareto:0.5", 0.3))


def test_rows_have_means_intervals_and_the_ratio_to_the_oracle() -> None:
    assert [row.name for row in replay_rows(REPLAY)] == ["oracle", "none", "pareto:0.05", "pareto:0.5"]
    assert replay_rows(REPLAY)[2].cells == ("0.400", "2.00", "60 min", "90.00 % (89.00 to 91.00)", "25.00 %", "12.50 %")


@pytest.mark.parametrize(
    ("hours", "width", "shown"),
    [
        (1 / 60, 0.0, "60 s"),
        (0.05, 0.01, "3 min (2.4 to 3.6)"),
        (2.5, 0.0, "2.5 h"),
        (1.9, 0.2, "114 min (102 to 126)"),
    ],
)
def test_time_has_one_unit(hours: float, width: float, shown: str) -> None:
    timed = {**strategy("none", 1.0), "simulated_hours": interval(hours, width)}
    assert replay_rows(made(timed))[0].cells[2] == shown


def test_the_oracle_is_that_of_the_same_workers() -> None:
    rows = replay_rows(
        made(strategy("oracle", 0.2, workers=1), strategy("none", 1.0, workers=1), strategy("none", 1.0, workers=2))
    )
    assert [(row.name, row.cells[1]) for row in rows] == [
        ("oracle, 1 worker", "1.00"),
        ("none, 1 worker", "5.00"),
        ("none, 2 workers", ""),
    ]


def test_samplers_are_told_apart_and_explained() -> None:
    replay = made(strategy("none", 1.0), strategy("none", 1.0, sampler="tpe"))
    assert [row.name for row in replay_rows(replay)] == ["none, random", "none, tpe"]
    assert "tpe asked for points that were not recorded, and got the nearest recorded" in describe_replay(replay)[-1]
    assert not any("nearest" in sentence for sentence in describe_replay(REPLAY))


def test_what_was_replayed_is_described() -> None:
    first, *others = describe_replay(made(strategy("none", 1.0), n_seeds=3, n_front=[9, 12, 10], n_failed=2))
    assert first == (
        "digits.recording: 40 of 40 recorded candidates of 9 epochs, 9 to 12 on the front, 50 orders, "
        "with 3 seeds in turn."
    )
    assert "2 trainings failed when the table was recorded: they are not in it." in others


def test_the_table_shows_every_strategy() -> None:
    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(replay_table(made(strategy("[red]", 1.0))))
    text = console.export_text()
    assert "[red]" in text
    assert "digits.recording: 40 of 40" in text


def test_markdown_is_a_table() -> None:
    text = replay_markdown(REPLAY)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 6
    assert {line.count("|") for line in rows} == {8}
    assert "They say nothing of other tables" in text


def test_frames_have_numbers() -> None:
    frame = replay_frame(REPLAY)
    assert frame["pruner"].tolist() == ["oracle", "none", "pareto:0.05", "pareto:0.5"]
    assert frame["hypervolume_share_low"].tolist() == [0.89] * 4
    assert frame["epochs_times_oracle"].tolist() == pytest.approx([1.0, 5.0, 2.0, 1.5])
    repeats = repeats_frame(REPLAY)
    assert repeats.columns.tolist()[:4] == ["repeat", "sampler", "pruner", "workers"]
    assert repeats["repeat"].tolist() == [0, 1] * 4


def test_settings_of_a_pruner_are_joined_by_epochs_used() -> None:
    figure = trade_off_figure(REPLAY, "front_lost_share", "Front members lost")
    pareto = figure.data[-1]
    assert (pareto.name, list(pareto.x)) == ("pareto", [0.3, 0.4])
    assert (list(pareto.text), list(pareto.customdata)) == (["pareto:0.5", "0.05"], ["pareto:0.5", "pareto:0.05"])
    assert figure.data[0].marker.symbol == "star"


def test_only_the_first_setting_differs_along_a_line() -> None:
    names = ("pareto:0.05", "pareto:0.5", "pareto:0.05:1", "pareto:0.5:1")
    figure = trade_off_figure(made(*(strategy(name, 0.1) for name in names)), "front_lost_share", "Front members lost")
    assert [list(line.customdata) for line in figure.data] == [list(names[:2]), list(names[2:])]


@pytest.mark.parametrize(
    ("longest", "title", "end"),
    [(1.0, "minutes", 60.0), (3.0, "hours", 3.0), (0.01, "seconds", 36.0)],
)
def test_time_goes_in_a_fitting_unit(longest: float, title: str, end: float) -> None:
    played = strategy("none", 1.0)
    played["hypervolume_over_time"]["hours"] = [0.0, longest]
    figure = over_time_figure(made(played))
    assert figure.layout.xaxis.title.text == f"simulated time ({title})"
    assert figure.data[1].x[-1] == pytest.approx(end)
    assert list(figure.data[0].y) == [0.0, 0.91, 0.89, 0.0]  # up along the upper bound, back along the lower


def test_the_page_needs_nothing_and_escapes_names() -> None:
    page = render_replay(made(strategy("</script><b>", 1.0), study="<i>x</i>")).replace(plotly_script().packed, "")
    assert "<i>x</i>" not in page
    assert "</script><b>" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert "cpu0, cpu1" in page
    assert "secret" not in page
    assert all(f'id="{name}"' in page for name in replay_figures(REPLAY))


def test_files_are_written_whole(any_folder: Path) -> None:
    paths = write_replay(REPLAY, any_folder / "out")
    assert sorted(path.name for path in (any_folder / "out").iterdir()) == sorted(path.name for path in paths)
    assert [path.name for path in paths] == ["replay.html", "replay.md", "replay.csv", "repeats.csv", "replay.json"]
    assert json.loads((any_folder / "out" / "replay.json").read_text()) == REPLAY


def test_the_old_files_stay_alone_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "replay.html").write_text("old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_replay(REPLAY, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["replay.html"]
    assert (tmp_path / "replay.html").read_text() == "old"
