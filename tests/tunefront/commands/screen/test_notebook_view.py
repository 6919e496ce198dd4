from __future__ import annotations

from tests.tunefront.commands.screen.test_views import SNAPSHOT
from tunefront.commands.screen.notebook_view import drawing


def test_a_drawing_has_all_that_a_terminal_shows() -> None:
    text = drawing(["caution: busy"], SNAPSHOT, ["trial 3: complete\x1b[2J", "trial 4: failed"])
    lines = text.splitlines()
    assert lines[0] == "caution: busy"
    assert lines[1].split()[0] == "digits"
    assert "7 of 30 trials" in lines[1]
    assert "front so far: 4 trials" in text
    assert lines[-2:] == ["trial 3: complete\\x1b[2J", "trial 4: failed"]
    assert "\x1b" not in text
