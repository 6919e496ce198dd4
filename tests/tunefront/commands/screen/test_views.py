from __future__ import annotations

import io
import re
import time
from dataclasses import replace

import pytest
from rich.console import Console

from tunefront.commands.screen.snapshot_text import describe_progress, describe_time_left, render
from tunefront.commands.screen.views import LiveView, PlainView, make_view
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
    slots=[SlotState("cpu0", 9, {"optimizer.name": "lion", "plain_cnn.n_blocks": 2}, 3, 12, 0.875), SlotState("cpu1")],
    objectives=OBJECTIVES,
    front=[(4, (0.97, 2e6)), (2, (0.9, 1.5e5)), (7, (0.5, 999.0)), (8, (0.4, 10.0))],
    seconds_left=200.0,
    measure=MEASURES["accuracy"],
    seconds=3725.9,
    epochs_saved=15,
    guessing=frozenset({8}),
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
    running = SlotState("cpu0", 9, {"mlp.layers": 2}, 3, 12, 0.875)
    counts = Counts(complete=1, pruned=0, refused=0, failed=0, running=1, waiting=0)
    objectives: dict[Axis, Objective] = {"accuracy": Objective(MEASURES["rmse"])}
    made.print(render(Snapshot("a", 3, counts, [running], objectives, [(0, (0.5,))], None, MEASURES["rmse"]), 20))
    text = " ".join(printed(made).split())
    assert "slot trial epoch quality candidate cpu0 9 3/12 0.875 layers 2" in text
    assert "trial quality 0 0.5" in text


@pytest.mark.parametrize("height", [8, 40])
def test_a_study_of_others_is_shown_before_a_trial_of_it_runs(height: int) -> None:
    made = console()
    made.print(render(replace(SNAPSHOT, slots=[]), height))
    text = printed(made)
    assert "7 of 30 trials" in text
    assert "no trial runs now" in text
    assert "candidate" not in text


def test_render_shows_counts_slots_and_front() -> None:
    made = console()
    made.print(render(SNAPSHOT, height=17))
    text = " ".join(printed(made).split())  # a title wraps at the width of its table
    for part in (
        "7 of 30 trials",
        "5 complete, 2 pruned (15 epochs saved), 1 failed, 1 refused",
        "1:02:05",
        "about 3 min left",
        "3/12",
        "87.50 %",
        "lion, blocks 2",
        "waiting",
        "front so far: 4 trials, the first 3 shown",
        "97.00 %",
        "150 kB",
    ):
        assert part in text
    assert "10 B" not in text


def bold_cells(snapshot: Snapshot) -> list[str]:
    """Return the words of the front that are printed in bold, as a terminal gets them."""
    made = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard")
    made.print(render(snapshot, height=30))
    shown = printed(made).partition("front so far")[2]
    return [found.strip() for found in re.findall(r"\x1b\[1;32m(.*?)\x1b\[0m", shown)]


def test_a_notice_stands_below_the_counts_and_in_the_line_on_how_far_all_is() -> None:
    notice = "the storage is away for 66 s (connection refused); 1 result is kept until it is back"
    made = console()
    made.print(render(replace(SNAPSHOT, notice=notice), 30))
    lines = printed(made).splitlines()
    assert lines[2].strip() == notice
    assert lines[1].startswith("5 complete")
    assert describe_progress(replace(SNAPSHOT, notice=notice)).endswith(f"; now trial 9 3/12; {notice}")


def test_the_best_so_far_is_bold_and_a_model_that_only_guesses_is_marked_and_no_best() -> None:
    assert bold_cells(SNAPSHOT) == ["97.00 %", "999 B"]  # trial 8 has 10 B, but has learnt nothing
    made = console()
    made.print(render(SNAPSHOT, height=30))
    assert [line.split()[:4] for line in printed(made).splitlines() if "*" in line] == [
        ["8", "40.00", "%", "*"],
        ["*", "no", "better", "than"],
    ]


def test_a_confirmation_has_no_front_on_the_screen() -> None:
    made = console()
    made.print(render(replace(SNAPSHOT, front=None), height=30))
    assert "front so far" not in printed(made)


@pytest.mark.parametrize(("width", "n_lines"), [(40, 2), (100, 1)])
def test_a_candidate_wraps_below_its_slot_where_the_screen_is_narrow(width: int, n_lines: int) -> None:
    made = Console(file=io.StringIO(), width=width)
    parameters = {
        "optimizer.name": "adam",
        "training.batch_size": 32,
        "plain_cnn.batch_norm": False,
        "plain_cnn.filters": 16,
    }
    slot = SlotState("cpu0", 9, parameters, 3, 12, 0.875)
    made.print(render(replace(SNAPSHOT, slots=[slot]), height=30))
    words = " ".join(printed(made).split())
    assert "adam, batch size 32, no batch norm, filters 16" in words
    lines = printed(made).splitlines()
    assert sum("adam" in line or "filters 16" in line for line in lines) == n_lines
    assert all(len(line) <= width for line in lines)


def test_many_slots_keep_a_line_each() -> None:
    made = Console(file=io.StringIO(), width=60)
    slots = [SlotState(f"cpu{number}", number, {"kind": "long " * 20}, 1, 12, 0.5) for number in range(12)]
    made.print(render(replace(SNAPSHOT, slots=slots), height=24))
    assert printed(made).count("…") == 12


def test_render_when_nothing_has_happened_yet() -> None:
    counts = Counts(complete=0, pruned=0, refused=0, failed=0, running=0, waiting=0)
    made = console()
    made.print(
        render(
            Snapshot("digits", 3, counts, [SlotState("cpu0")], OBJECTIVES, [], None, MEASURES["accuracy"]),
            height=20,
        )
    )
    assert "0 of 3 trials" in printed(made)
    assert "front so far: 0 trials" in printed(made)
    one = Snapshot("digits", 3, counts, [SlotState("cpu0")], OBJECTIVES, [(0, (0.5, 10.0))], None, MEASURES["accuracy"])
    made.print(render(one, height=20))
    assert "front so far: 1 trial " in " ".join(printed(made).split())


def test_a_plain_view_prints_each_event_on_one_line_as_it_is() -> None:
    made = console()
    view = PlainView(made)
    view.show(SNAPSHOT)
    view.say("trial 3: failed: " + "long " * 40 + "[bold]")
    view.close()
    assert printed(made) == "trial 3: failed: " + "long " * 40 + "[bold]\n"


def test_a_plain_view_tells_how_far_all_is_when_nothing_happened_for_twelve_seconds() -> None:
    made, now = console(), [0.0]
    view = PlainView(made, clock=lambda: now[0])
    for seconds in (0.0, 11.0, 13.0, 20.0, 26.0):
        now[0] = seconds
        view.show(SNAPSHOT)
        if seconds == 13.0:
            view.say("trial 3: failed")
    view.close()
    first, event, second = printed(made).splitlines()
    assert event == "trial 3: failed"
    for line in (first, second):
        assert re.fullmatch(
            r"7 of 30 trials after 1:02:\d\d, about 3 min left; 5 complete, 2 pruned \(15 epochs saved\), 1 failed, "
            r"1 refused; now trial 9 3/12",
            line,
        )


def test_a_plain_view_reminds_of_what_is_under_way_by_itself() -> None:
    """Nobody calls the view while Keras loads, or while a sampler thinks: its clock goes on all the same."""
    made, now = console(), [0.0]
    view = PlainView(made, clock=lambda: now[0])
    for begin, under_way in (
        (lambda: view.progress("loading Keras", 0, 1), "loading Keras ... 13 s"),
        (lambda: view.progress("images", 5, 100), "images: 5 of 100 ... 13 s"),
        (lambda: view.show(SNAPSHOT), "7 of 30 trials after 1:02:18"),
    ):
        begin()
        view.say("so far")
        now[0] += 13.0
        while under_way not in printed(made):
            time.sleep(0.01)
        assert printed(made).splitlines()[-1].startswith(under_way)
    view.close()
    now[0] += 13.0
    view.show(SNAPSHOT)
    assert printed(made).count("7 of 30 trials") == 2  # said by `show` itself: the thread is over


def test_what_is_waited_for_spins_in_a_terminal_and_is_a_line_elsewhere() -> None:
    for is_terminal in (True, False):
        made = console(is_terminal=is_terminal)
        view = make_view(made)
        for _ in range(3):
            view.progress("loading Keras", 0, 1)
        view.close()
        assert "loading Keras ..." in printed(made)
        assert is_terminal or printed(made) == "loading Keras ...\n"


def test_long_work_of_several_parts_has_a_spinner_a_bar_and_a_clock() -> None:
    made = console(is_terminal=True)
    view = LiveView(made)
    view.progress("exporting trial-6", 0, 2)
    view.progress("exporting trial-6", 1, 2)
    view.close()
    assert re.search(r"[⠁-⣿] exporting trial-6 .*━.* 1 of 2 0 s", printed(made))


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
