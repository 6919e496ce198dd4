"""The type of the fixture that makes supervised studies, and the keys of a study with accuracy alone."""

from __future__ import annotations

from collections.abc import Callable

from tests.search.supervisor_fixture import SupervisorFixture

MakeFixture = Callable[..., SupervisorFixture]
SINGLE = {"objectives": {"accuracy": "accuracy", "memory": False, "time": False}}
