from __future__ import annotations

import io

import pytest
from rich.console import Console

from tunefront.commands.live_view import LiveView, PlainView, describe_time_left, make_view, render
from tunefront.objectives.limits import Objective
from tunefront.objectives.measures import MEASURES, Axis
from tunefront.search.supervisor.view import SlotState, Snapshot
from tunefront.storage.counts import Counts

OBJECTIVES: dict[Axis, Objective] = {
    "accuracy": Objective(MEASURES["accuracy"]),
    "memory": Objective(MEASURES["model_bytes"]),
}
SNAPSHOT = Snapshot(
    study="digits",
    n_trials=30,
    counts=Counts(complete=5, pruned=2, refused=1, failed=1, running=1, waiting=0),
    slots=[SlotState("cpu0", 9, "plain_cnn(n_blocks=2)", 3, 12, 0.875), SlotState("cpu1")],
    objectives=OBJECTIVES,
    front=[(4, (0.97, 2e6)), (2, (0.9, 1.5e5)), (7, (0.5, 999.0)), (8, (0.4, 10.0))],
    seconds_left=200.0,
    measure=MEASURES["accuracy"],
)


def console(*, is_terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=100, force_terminal=is_terminal, color_system=None)


def printed(made: Console) -> str:
    assert isinstance(made.file, io.StringIO)
    return made.file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "time left: not known yet"),
        (0.0, "about 10 s left"),
        (44.0, "about 40 s left"),
        (89.0, "about 90 s left"),
        (90.0, "about 2 min left"),
        (600.0, "about 10 min left"),
        (5399.0, "about 90 min left"),
        (5400.0, "about 1.5 h left"),
        (36000.0, "about 10.0 h left"),
    ],
)
def test_describe_time_left(seconds: float | None, expected: str) -> None:
    assert describe_time_left(seconds) == expected


def test_a_slot_shows_an_error_in_the_labels_unit() -> None:
    made = console()
    running = SlotState("cpu0", 9, "mlp", 3, 12, 0.875)
    counts = Counts(complete=1, pruned=0, refused=0, failed=0, running=1, waiting=0)
    objectives: dict[Axis, Objective] = {"accuracy": Objective(MEASURES["rmse"])}
    made.print(render(Snapshot("a", 3, counts, [running], objectives, [(0, (0.5,))], None, MEASURES["rmse"]), 3))
    text = " ".join(printed(made).split())
    assert "slot trial epoch quality candidate cpu0 9 3/12 0.875 mlp" in text
    assert "trial rmse 0 0.5" in text


def test_render_shows_counts_slots_and_front() -> None:
    made = console()
    made.print(render(SNAPSHOT, max_front=3))
    text = " ".join(printed(made).split())  # a title wraps at the width of its table
    for part in (
        "digits 7 of 30 trials",
        "5 complete, 2 pruned, 1 failed, 1 refused",
        "about 3 min left",
        "3/12",
        "87.50 %",
        "plain_cnn(n_blocks=2)",
        "waiting",
        "front so far: 4 trials, the first 3 shown",
        "97.00 %",
        "150 kB",
    ):
        assert part in text
    assert "10 B" not in text


def test_render_when_nothing_has_happened_yet() -> None:
    counts = Counts(complete=0, pruned=0, refused=0, failed=0, running=0, waiting=0)
    made = console()
    made.print(
        render(
            Snapshot("digits", 3, counts, [SlotState("cpu0")], OBJECTIVES, [], None, MEASURES["accuracy"]),
            max_front=3,
        )
    )
    assert "0 of 3 trials" in printed(made)
    assert "front so far: 0 trials" in printed(made)
    one = Snapshot("digits", 3, counts, [SlotState("cpu0")], OBJECTIVES, [(0, (0.5, 10.0))], None, MEASURES["accuracy"])
    made.print(render(one, max_front=3))
    assert "front so far: 1 trial " in " ".join(printed(made).split())


def test_a_plain_view_prints_each_event_on_one_line_as_it_is() -> None:
    made = console()
    view = PlainView(made)
    view.show(SNAPSHOT)
    view.say("trial 3: failed: " + "long " * 40 + "[bold]")
    view.close()
    assert printed(made) == "trial 3: failed: " + "long " * 40 + "[bold]\n"


def test_a_live_view_shows_events_and_closes_when_it_never_started() -> None:
    made = console(is_terminal=True)
    view = LiveView(made)
    view.say("loading [Keras]")
    view.close()
    assert "loading [Keras]" in printed(made)
    view.show(SNAPSHOT)
    view.close()
    assert "7 of 30 trials" in printed(made)


@pytest.mark.parametrize("view_class", [LiveView, PlainView])
def test_a_caution_is_never_cut_off(view_class: type[LiveView | PlainView]) -> None:
    made = console(is_terminal=True)
    view = view_class(made)
    view.warn("caution: " + "long " * 40 + "[end]")
    view.close()
    assert printed(made).count("long") == 40
    assert "[end]" in printed(made)


@pytest.mark.parametrize(("is_terminal", "expected"), [(True, LiveView), (False, PlainView)])
def test_make_view_suits_the_console(is_terminal: bool, expected: type) -> None:
    assert isinstance(make_view(console(is_terminal=is_terminal)), expected)
