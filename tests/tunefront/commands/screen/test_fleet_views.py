"""The views of a worker of several studies."""

from __future__ import annotations

import io

from rich.console import Console

from tunefront.commands.screen.fleet_views import LiveScreen, PlainScreen, StudyViews
from tunefront.objectives.measures import MEASURES
from tunefront.search.supervisor.view import SlotState, Snapshot
from tunefront.storage.counts import Counts

NO_STUDY = "no study is open: waiting for one that 'tunefront submit' puts into the storage"


def snapshot(study: str, n_complete: int, *slots: SlotState) -> Snapshot:
    counts = Counts(complete=n_complete, pruned=0, refused=0, failed=0, running=len(slots), waiting=0)
    return Snapshot(study, 10, counts, slots, {}, None, None, MEASURES["accuracy"], seconds=65.0)


def test_a_log_says_how_each_study_stands_where_nothing_happens_for_long() -> None:
    seconds, file = 0.0, io.StringIO()
    screen = PlainScreen(Console(file=file, width=200), clock=lambda: seconds)
    views = StudyViews(screen)
    views.of("digits").show(snapshot("digits", 3, SlotState("cpu0", 4, {}, 2, 12)))
    views.of("photos").say("trial 0: complete")
    views.of("photos").show(snapshot("photos", 1))
    views.progress("writing the prepared data", 0, 10)
    views.progress("writing the prepared data", 1, 1000)
    views.progress("", 1, 1)
    assert file.getvalue() == "photos: trial 0: complete\nwriting the prepared data: 0 of 10\n"
    seconds = 12.5
    views.of("photos").show(snapshot("photos", 2))
    views.of("digits").close()
    seconds = 25.0
    views.of("photos").close()
    views.close()
    photos = "2 of 10 trials after 1:05, time left: not known yet; 2 complete, 0 pruned, 0 failed"
    assert file.getvalue().splitlines()[2:] == [
        "digits: 3 of 10 trials after 1:05, time left: not known yet; 3 complete, 0 pruned, 0 failed; now trial 4 2/12",
        f"photos: {photos}",
        NO_STUDY,
    ]


def test_a_screen_shows_one_study_whole_and_several_in_a_line_each() -> None:
    def drawn(*studies: str, progress: str = "") -> str:
        console = Console(file=io.StringIO(), width=120, height=30, force_terminal=True, record=True)
        views = StudyViews(LiveScreen(console))
        for name in studies:
            views.of(name).show(snapshot(name, 3, SlotState("cpu0", 4, {}, 2, 12)))
        views.progress(progress, 0, 1)
        views.close()
        return console.export_text()

    assert NO_STUDY in drawn()
    assert "digits: 3 of 10 trials after 1:05" in drawn("digits", "photos")
    assert "photos: 3 of 10 trials after 1:05" in drawn("digits", "photos")
    one = drawn("digits", progress="preparing the data of study photos")
    assert "slot" in one
    assert "preparing the data of study photos ..." in one
