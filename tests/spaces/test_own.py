"""A user's own space, named by a spec."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest

from tunefront.spaces.candidate import Candidate
from tunefront.spaces.own import OwnSpace
from tunefront.spaces.settings import SpaceError
from tunefront.spaces.user_code.objects import load_object

WHOLE = """
class Tabular:
    def suggest(self, trial):
        return {
            "units": trial.suggest_int("net.units", 4, 8),
            "optimizer": "sgd",
            "learning_rate": 0.1,
            "momentum": 0.5,
            "batch_size": 16,
            "augmentation": "none",
            "schedule": "cosine",
            "minimum": 0.2,
        }

    def build(self, settings, input_shape, n_classes):
        import keras
        return keras.Sequential([
            keras.layers.Dense(settings["units"], "relu"), keras.layers.Dense(n_classes, "softmax")
        ])

ready = Tabular()

class Outer:
    inner = Tabular

def explode():
    raise RuntimeError("boom")
"""


def write(folder: Path, body: str, name: str = "mine.py") -> str:
    """Write a file and return its path, which is new for each test, because a process loads a module once."""
    path = folder / name
    path.write_text(body)
    return str(path)


def own(folder: Path, suggest: str = "return {}", build: str = "return None") -> OwnSpace:
    path = write(
        folder,
        f"class Own:\n"
        f"  def suggest(self, trial):\n    {suggest}\n"
        f"  def build(self, settings, input_shape, n_classes):\n    {build}\n",
    )
    return OwnSpace.parse(f"{path}:Own")


def ask() -> optuna.Trial:
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask()


@pytest.mark.parametrize("name", ["Tabular", "ready", "Outer.inner"])
def test_an_own_space_is_found_in_a_file(any_folder: Path, name: str) -> None:
    space = OwnSpace.parse(f"{write(any_folder, WHOLE)}:{name}")
    trial = ask()
    candidate = space.suggest(trial)
    assert candidate == Candidate(
        architecture=name,
        architecture_settings={**candidate.architecture_settings},
        optimizer="sgd",
        optimizer_settings={"learning_rate": 0.1, "momentum": 0.5},
        batch_size=16,
        schedule="cosine",
        schedule_settings={"warm_up_epochs": 0.0, "minimum": 0.2},
    )
    assert candidate.architecture_settings["units"] == trial.params["net.units"]


def test_an_own_space_is_found_in_a_module_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, WHOLE, "mine_as_module.py")
    monkeypatch.chdir(tmp_path)
    space = OwnSpace.parse("mine_as_module:Tabular")
    assert space.name == "Tabular"
    assert space.suggest(ask()).optimizer == "sgd"


def test_a_module_of_the_current_folder_may_import_its_neighbours_at_once_and_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "OPTIMIZER = 'sgd'", "neighbour_at_once.py")
    write(tmp_path, "RATE = 0.25", "neighbour_later.py")
    body = (
        "from neighbour_at_once import OPTIMIZER\n"
        "class Own:\n"
        "  def suggest(self, trial):\n"
        "    from neighbour_later import RATE\n"
        "    return {'optimizer': OPTIMIZER, 'learning_rate': RATE}\n"
        "  def build(self, settings, input_shape, n_classes): ...\n"
    )
    write(tmp_path, body, "mine_with_neighbours.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [path for path in sys.path if path])
    monkeypatch.setattr("sys.meta_path", [*sys.meta_path])
    candidate = OwnSpace.parse("mine_with_neighbours:Own").suggest(ask())
    assert (candidate.optimizer, candidate.optimizer_settings["learning_rate"]) == ("sgd", 0.25)
    assert str(tmp_path) not in sys.path  # what is imported later is looked for there last


def test_modules_of_the_current_folder_are_not_taken_for_what_others_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "raise SystemExit('the wrong module')", "sched.py")
    write(tmp_path, "raise SystemExit('the wrong module')", "not_installed.py")
    (tmp_path / "installed").mkdir()
    optional = "import sched\ntry:\n    import not_installed\nexcept ImportError:\n    pass"
    write(tmp_path / "installed", optional, "some_framework.py")
    write(tmp_path, f"import sched, some_framework\n{WHOLE}", "mine_beside_others.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "sched", raising=False)
    monkeypatch.setattr("sys.path", [str(tmp_path / "installed"), *(path for path in sys.path if path)])
    assert OwnSpace.parse("mine_beside_others:Tabular").load() is not None
    assert hasattr(sys.modules["sched"], "scheduler")


def test_a_module_of_the_current_folder_that_is_named_like_ours_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, WHOLE, "tunefront.py")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpaceError, match=r'another module has this name: write the file as "tunefront\.py:OBJECT"'):
        OwnSpace.parse("tunefront:Tabular").load()
    assert OwnSpace.parse("tunefront.py:Tabular").load() is not None


@pytest.mark.parametrize("name", ["search", "objectives"])
def test_a_module_of_the_current_folder_may_be_named_like_a_folder_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(tmp_path, WHOLE, f"{name}.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.meta_path", [*sys.meta_path])
    assert OwnSpace.parse(f"{name}:Tabular").suggest(ask()).optimizer == "sgd"


def test_reading_the_name_of_an_own_space_runs_none_of_its_code(tmp_path: Path) -> None:
    path = write(tmp_path, "import pathlib; pathlib.Path(__file__).with_name('ran').touch()\n" + WHOLE)
    space = pickle.loads(pickle.dumps(OwnSpace.parse(f"{path}:Tabular")))
    assert not (tmp_path / "ran").exists()
    space.suggest(ask())
    assert (tmp_path / "ran").exists()
    assert pickle.loads(pickle.dumps(space)) == space  # also with its code loaded


def test_a_space_error_comes_out_of_another_process_as_it_was() -> None:
    error = pickle.loads(pickle.dumps(SpaceError("space", "cannot be")))
    assert (error.key, error.problem, str(error)) == ("space", "cannot be", "space: cannot be")


def test_an_own_space_builds(keras: Any, tmp_path: Path) -> None:
    space = OwnSpace.parse(f"{write(tmp_path, WHOLE)}:Tabular")
    model = space.build(space.suggest(ask()), (5,), 3)
    assert model.input_shape == (None, 5)
    assert model.output_shape == (None, 3)


def test_a_candidate_of_an_own_space_may_be_whole(tmp_path: Path) -> None:
    chosen = "from tunefront import Candidate; return Candidate('mine', {}, 'lion', {'learning_rate': 0.3}, l2=0.1)"
    assert own(tmp_path, chosen).suggest(ask()) == Candidate("mine", {}, "lion", {"learning_rate": 0.3}, l2=0.1)


def test_what_an_own_space_leaves_out_is_plain(tmp_path: Path) -> None:
    assert own(tmp_path).suggest(ask()) == Candidate(
        "Own", {}, "adam", {"learning_rate": 0.001}, schedule_settings={"warm_up_epochs": 0.0}
    )


@pytest.mark.parametrize(
    ("suggest", "fragments"),
    [
        ("raise ValueError('no luck')", ["Own: suggest raised ValueError: no luck"]),
        ("raise ValueError", ["suggest raised ValueError"]),
        ("return 3", ["suggest returned 3", "dictionary"]),
        ("return {'optimizer': 'adm'}", ["no optimizer 'adm'", "Did you mean 'adam'?"]),
        ("return {'augmentation': 'heavy'}", ["no augmentation 'heavy'", "Known: none, light"]),
        ("return {'batch_size': 64.5}", ["suggest returned batch_size = 64.5, which is no whole number"]),
        ("return {'batch_size': 'many'}", ["batch_size = 'many', which is no whole number"]),
        ("return {'schedule': 'cosin'}", ["no schedule 'cosin'", "Did you mean 'cosine'?"]),
    ],
)
def test_suggest_names_what_is_wrong(tmp_path: Path, suggest: str, fragments: list[str]) -> None:
    with pytest.raises(SpaceError) as caught:
        own(tmp_path, suggest).suggest(ask())
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_counts_may_be_written_as_fractions(tmp_path: Path) -> None:
    candidate = own(tmp_path, "return {'batch_size': 64.0}").suggest(ask())
    assert candidate.batch_size == 64
    assert isinstance(candidate.batch_size, int)


CHANGING = {
    "choices": "trial.suggest_categorical('net.kind', ['a'] * (trial.number + 1) + ['b'])",
    "kind": "trial.suggest_int('net.kind', 1, 3) if trial.number else trial.suggest_float('net.kind', 1, 3)",
    "scale": "trial.suggest_float('net.kind', 1, 3, log=bool(trial.number))",
}


@pytest.mark.parametrize(
    ("change", "what"),
    [("choices", "other choices"), ("kind", "another kind of range"), ("scale", "another kind of range")],
)
def test_a_parameter_that_changes_between_trials_is_named_with_a_remedy(tmp_path: Path, change: str, what: str) -> None:
    space = own(tmp_path, f"return {{'kind': {CHANGING[change]}}}")
    study = optuna.create_study()
    trial = study.ask()
    space.suggest(trial)
    study.tell(trial, 0.0)
    with pytest.raises(SpaceError) as caught:
        space.suggest(study.ask())
    assert f"suggest gives the parameter 'net.kind' {what} than in an earlier trial" in str(caught.value)
    assert "give a parameter with others another name" in str(caught.value)


@pytest.mark.parametrize(
    ("build", "fragments"),
    [
        ("raise TypeError('no such layer')", ["Own: build raised TypeError: no such layer"]),
        ("return 'model'", ["build returned 'model'", "keras.Model"]),
        (
            "import keras; return keras.Sequential([keras.layers.Dense(7)])",
            ["outputs of shape (None, 7)", "With 3 classes", "(None, 3)"],
        ),
    ],
)
def test_build_names_what_is_wrong(keras: Any, tmp_path: Path, build: str, fragments: list[str]) -> None:
    space = own(tmp_path, build=build)
    with pytest.raises(SpaceError) as caught:
        space.build(space.suggest(ask()), (5,), 3)
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "fragments"),
    [
        ("mine", ["'mine' names no object", '"module:object"']),
        (":Tabular", ["names no object"]),
        ("no_such_module:Tabular", ["importing 'no_such_module' raised ModuleNotFoundError"]),
        ("no/such/file.py:Tabular", ["there is no file 'no/such/file.py'"]),
        ("{file}:Tabula", ["has no 'Tabula'", "Did you mean 'Tabular'?"]),
        ("{file}:explode", ["has no method 'suggest'"]),
        ("{broken}:Tabular", ["raised SyntaxError"]),
        ("{demanding}:Own", ["Own() raised TypeError"]),
        ("{script}:Own", ["importing", "raised SystemExit"]),
    ],
)
def test_load_names_what_is_wrong(tmp_path: Path, reference: str, fragments: list[str]) -> None:
    paths = {
        "file": write(tmp_path, WHOLE),
        "broken": write(tmp_path, "def (", "broken.py"),
        "script": write(tmp_path, "import sys\nsys.exit()", "script.py"),
        "demanding": write(tmp_path, "class Own:\n  def __init__(self, must): ...\n", "demanding.py"),
    }
    with pytest.raises(SpaceError) as caught:
        OwnSpace.parse(reference.format(**paths)).load()
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_load_object_reports_under_the_key_it_is_given(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"^data\.object: "):
        load_object("nothing", "data.object")
