"""Mistakes in spec files: each names file, key, value and remedy."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.search.spec.spec_text import DATA, MINIMAL, read
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import read_spec


@pytest.mark.parametrize(
    ("text", "key", "fragments"),
    [
        # unknown keys, at the top and nested
        ("trails = 3\n" + MINIMAL, "trails", ["no such key", "Did you mean 'trials'?"]),
        (MINIMAL + "[trainig]\nepochs = 3\n", "trainig", ["Did you mean 'training'?"]),
        (MINIMAL + "[training]\nepoch = 3\n", "training.epoch", ["Did you mean 'epochs'?", "time_limit"]),
        (MINIMAL + "sauce = 1\n", "data.sauce", ["Did you mean 'source'?"]),
        (MINIMAL + '[objectives]\nacuracy = "accuracy"\n', "objectives.acuracy", ["Did you mean 'accuracy'?"]),
        (
            MINIMAL + '[objectives]\naccuracy = { measure = "accuracy", atleast = 0.5 }\n',
            "objectives.accuracy.atleast",
            ["Did you mean 'at_least'?"],
        ),
        (MINIMAL + "[space]\noptimiser = 1\n", "space.optimiser", ["Did you mean 'optimizer'?"]),
        (MINIMAL + "[space.adam]\nlr = 1\n", "space.adam.lr", ["no such setting", "learning_rate"]),
        # unknown names
        (MINIMAL + '[space]\narchitecture = "plain_cn"\n', "space.architecture", ["'plain_cn'", "'plain_cnn'"]),
        (MINIMAL + '[space]\noptimizer = ["adm"]\n', "space.optimizer", ["'adm'", "Did you mean 'adam'?"]),
        (MINIMAL + '[objectives]\nmemory = "model_byte"\n', "objectives.memory", ["'model_byte'", "'model_bytes'?"]),
        (MINIMAL + '[objectives]\nmemory = "accuracy"\n', "objectives.memory", ["'accuracy'", "model_bytes"]),
        (MINIMAL.replace('source = "digits"', 'source = "mnst"'), "data.source", ["'mnst'", "Did you mean 'mnist'?"]),
        (MINIMAL + '[sampler]\nname = "grud"\n', "sampler.name", ["no sampler 'grud'", "Did you mean 'grid'?"]),
        (MINIMAL + '[pruner]\nname = "medan"\n', "pruner.name", ["no pruner 'medan'", "Did you mean 'median'?"]),
        (MINIMAL + '[training]\nprecision = "float16"\n', "training.precision", ["'float16'", "'mixed_float16'"]),
        # keys that belong elsewhere
        (MINIMAL + '[objectives]\nlatency = "5 ms"\n', "objectives.latency", ['write time = "latency_seconds"']),
        (MINIMAL + "[objectives]\nf1_macro = 1\n", "objectives.f1_macro", ['write accuracy = "f1_macro"']),
        (MINIMAL + "[objectives]\npeak = 1\n", "objectives.peak", ['write memory = "peak_bytes"']),
        (MINIMAL + "[space]\nlearning_rate = 1\n", "space.learning_rate", ["of an optimizer", "[space.adam]"]),
        (
            MINIMAL + '[space]\noptimizer = ["lion", "sgd"]\nmomentum = 0.9\n',
            "space.momentum",
            ["[space.sgd] with momentum = ..."],
        ),
        (MINIMAL + "[space]\nfreeze_fraction = 0\n", "space.freeze_fraction", ["[space.MobileNetV2]"]),
        (MINIMAL + "[space]\nrotation = 5\n", "space.rotation", ["an augmentation", "[space.custom]"]),
        (MINIMAL + "[space]\nepochs = 5\n", "space.epochs", ["belongs into [training]"]),
        (MINIMAL + "[space.adam]\nbatch_size = 5\n", "space.adam.batch_size", ["belongs into [space]"]),
        (MINIMAL + "[training]\nbatch_size = 5\n", "training.batch_size", ["belongs into [space]"]),
        (
            MINIMAL + "[training]\nfeature_cache = false\nfeature_views = 3\n",
            "training.feature_views",
            ["stored in feature_cache, which is off: remove one of the two"],
        ),
        (MINIMAL + "[training]\nfeature_views = -1\n", "training.feature_views", ["greater than or equal to 0"]),
        (MINIMAL + "[training]\nlearning_rate = 5\n", "training.learning_rate", ["[space.adam]"]),
        (MINIMAL + "[training]\npatience = 5\n", "training.patience", ["[training.early_stopping] or ", "[stop]"]),
        (MINIMAL + "trials = 5\n", "data.trials", ["top of the file, above the first line in brackets"]),
        ("batch_size = 5\n" + MINIMAL, "batch_size", ["belongs into [space]"]),
        ("front_loss = 5\n" + MINIMAL, "front_loss", ["belongs into [pruner]"]),
        (MINIMAL + "[[start]]\nlearning_rate = 0.1\n", "start[1].learning_rate", ["[start.adam]"]),
        # missing keys, and what stands there under a wrong name
        ('nme = "digits"\n' + DATA, "nme", ["no such key", "Did you mean 'name'?"]),
        ('name = "digits"\n[dta]\nsource = "digits"\n', "dta", ["Did you mean 'data'?"]),
        (MINIMAL.replace("source", "sauce"), "data.source", ["this key is missing"]),
        (MINIMAL + 'positive_class = "a\\u0000b"\n', "data.positive_class", ["a character of code 0"]),
        # times without a unit
        (MINIMAL + "[training]\ntime_limit = 60\n", "training.time_limit", ["no unit", '"60 s", "60 min" or "60 h"']),
        (MINIMAL + '[training]\ntime_limit = "90"\n', "training.time_limit", ["no unit", '"90 min"']),
        (MINIMAL + "[stop]\ntime_limit = 1.5\n", "stop.time_limit", ["1.5 is not possible", "no unit", '"60 s"']),
        # too large, deep or long
        (f"trials = {10**24}\n" + MINIMAL, "trials", ["too large", "64 bits"]),
        (f"trials = {10**18}\n" + MINIMAL, "trials", ["not possible"]),
        (f"seed = -{10**24}\n" + MINIMAL, "seed", ["too large"]),
        (MINIMAL + f"[space]\nbatch_size = [32, {10**24}]\n", "space.batch_size", ["too large"]),
        (MINIMAL + f"[training]\nepochs = {10**12}\n", "training.epochs", ["not possible"]),
        (f'name = "{"x" * 200_000}"\n' + DATA, "name", ["200,000 characters are too many"]),
        (f'name = "{"x" * 4000}"\n' + DATA, "name", ["is not possible", "100 letters"]),
        (MINIMAL + f"[space]\noptimizer = [{'1, ' * 9000}]\n", "space.optimizer", ["there is no optimizer 1"]),
        (MINIMAL + f"[space]\nbatch_size = [{'64, ' * 9000}]\n", "space.batch_size", ["names a value twice"]),
        (MINIMAL + f"[space]\nbatch_size = {'[' * 20}{']' * 20}\n", "space", ["nested too deep"]),
        # missing keys
        (DATA, "name", ["missing", 'name = "digits"']),
        ('name = "digits"\n', "data", ["missing", 'source = "digits"']),
        ('name = "digits"\n[data]\n', "data.source", ["missing", 'source = "digits"']),
        (MINIMAL + "[objectives]\naccuracy = { at_least = 0.5 }\n", "objectives.accuracy.measure", ["missing"]),
        # impossible values
        ("trials = 0\n" + MINIMAL, "trials", ["0 is not possible", "trials = 30"]),
        ("trials = -3\n" + MINIMAL, "trials", ["-3 is not possible"]),
        ("seed = -1\n" + MINIMAL, "seed", ["-1 is not possible"]),
        ("seed = 2147483648\n" + MINIMAL, "seed", ["2147483648 is not possible"]),
        ("max_failures = -1\n" + MINIMAL, "max_failures", ["-1 is not possible"]),
        (MINIMAL.replace("digits", "my study", 1), "name", ["'my study' is not possible. Give", "letters, digits"]),
        (
            MINIMAL + '[pretrain]\nweights = "b.h5"\ndata = { source = "digits" }\nspace = {}\n',
            "pretrain.weights",
            ["'b.h5' is not possible. Name a file that ends in .weights.h5"],
        ),
        (MINIMAL.replace("digits", "../up", 1), "name", ["'../up' is not possible"]),
        (MINIMAL.replace("digits", ".hidden", 1), "name", ["'.hidden' is not possible"]),
        (MINIMAL.replace('"digits"', '""', 1), "name", ["'' is not possible"]),
        (MINIMAL + "validation_fraction = 0\n", "data.validation_fraction", ["0 is not possible"]),
        (MINIMAL + "test_fraction = 1.0\n", "data.test_fraction", ["1.0 is not possible"]),
        (MINIMAL + "test_fraction = nan\n", "data.test_fraction", ["nan is not possible"]),
        (MINIMAL + "test_fraction = 0.6\nvalidation_fraction = 0.4\n", "data", ["nothing to train on", "below 1"]),
        (MINIMAL + "[training]\nepochs = 0\n", "training.epochs", ["0 is not possible"]),
        (MINIMAL + "[training]\ntime_limit = 0\n", "training.time_limit", ["0 is not possible"]),
        (MINIMAL + '[training]\ntime_limit = "5 apples"\n', "training.time_limit", ["'5 apples'", "min"]),
        (MINIMAL + "[pruner]\nfront_loss = 0\n", "pruner.front_loss", ["0 is not possible"]),
        (MINIMAL + "[pruner]\nmin_epochs = 0\n", "pruner.min_epochs", ["0 is not possible"]),
        (MINIMAL + "[space.adam]\nlearning_rate = -1\n", "space.adam.learning_rate", ["-1 is not possible"]),
        # limits that exclude everything
        (
            MINIMAL + "[objectives]\naccuracy = false\nmemory = false\ntime = false\n",
            "objectives",
            ["accuracy, memory and time are all false", "leave out the line of one"],
        ),
        (
            MINIMAL + "[objectives]\ntime = true\n",
            "objectives.time",
            ["True", 'time = "train_seconds"', "time = false"],
        ),
        (
            MINIMAL + '[objectives]\naccuracy = { measure = "accuracy", at_least = 80 }\n',
            "objectives.accuracy.at_least",
            ["80 excludes everything", "at most 1"],
        ),
        (
            MINIMAL + '[objectives]\nmemory = { measure = "model_bytes", at_most = 0 }\n',
            "objectives.memory.at_most",
            ["0 excludes everything", "above 0"],
        ),
        (
            MINIMAL + '[objectives]\nmemory = { measure = "model_bytes", at_least = "2 MB" }\n',
            "objectives.memory.at_least",
            ["less memory is better", "write at_most"],
        ),
        (
            MINIMAL + '[objectives]\naccuracy = { measure = "f1_macro", at_most = 0.9 }\n',
            "objectives.accuracy.at_most",
            ["more accuracy is better", "write at_least"],
        ),
        (
            MINIMAL + '[objectives]\nmemory = { at_most = "1 MB" }\n',
            "objectives.memory.measure",
            ["this key is missing", 'Add measure = "model_bytes"'],
        ),
        (
            MINIMAL + '[stop]\ntime_limit = "2 hours"\n',
            "stop.time_limit",
            ["limit: '2 hours' is not a time", "s, min, h"],
        ),
        # wrong types
        ('trials = "30"\n' + MINIMAL, "trials", ["'30' is not possible", "trials = 30"]),
        ("trials = 30.0\n" + MINIMAL, "trials", ["30.0 is not possible"]),
        ("trials = true\n" + MINIMAL, "trials", ["True is not possible"]),
        ("name = 3\n" + DATA, "name", ["3 is not possible"]),
        ("space = 3\n" + MINIMAL, "space", ["3 is not possible"]),
        (MINIMAL + 'test_fraction = "20 %"\n', "data.test_fraction", ["'20 %' is not possible"]),
        (MINIMAL + "[training]\ntime_limit = true\n", "training.time_limit", ["True", "'5 ms'"]),
        (MINIMAL + "[space]\nbatch_size = 2020-01-01\n", "space.batch_size", ["neither a value, a list"]),
    ],
)
def test_read_spec_names_file_key_value_and_remedy(tmp_path: Path, text: str, key: str, fragments: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        read(text, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'study.toml'}: {key}: ")
    for fragment in fragments:
        assert fragment in message
    assert len(message) < 2500


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"a = {'[' * 900}{']' * 900}\n", "nested too deep"),
        (f"{'a.' * 900}a = 1\n", "nested too deep"),
        pytest.param('"a\\"".' * 30_000 + "a = 1\n", "nested too deep", marks=pytest.mark.timeout(120)),
        pytest.param("'a' . " * 30_000 + "a = 1\n", "nested too deep", marks=pytest.mark.timeout(120)),
        (f"a = {'{a=' * 900}1{'}' * 900}\n", "nested too deep"),
        (f"a = {'9' * 5000}\n", "not valid TOML"),
        (f'name = "{"x" * 10_000_000}"\n', "more than 256,000 bytes"),
        (f"{'a' * 200_000} = 1\n", "200,000 characters are too many"),
        (f"{'a.' * 120_000}a = 1\n", "nested too deep"),
        ("".join(f"[t{number}]\n" for number in range(10_000)), "there is no such key"),
    ],
)
def test_read_spec_refuses_at_once_what_no_spec_can_be(tmp_path: Path, text: str, problem: str) -> None:
    began = time.perf_counter()
    with pytest.raises(SpecError, match=problem) as caught:
        read(text, tmp_path)
    assert time.perf_counter() - began < 5  # it takes a second on an idle machine
    assert len(str(caught.value)) < 500
    assert len(str(caught.value).splitlines()) == 1


def test_read_spec_does_not_wait_when_the_path_is_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "study.toml")
    with pytest.raises(SpecError, match="cannot be read .it is a pipe, and no file: copy its content into one"):
        read_spec(tmp_path / "study.toml")


@pytest.mark.parametrize(
    ("limit", "fragments"),
    [
        ('"lots"', ["'lots'", "0.8"]),
        ('"5 ms"', ["'5 ms'", "0.8"]),
        ("true", ["True", "0.8"]),
        ("[0.5]", ["[0.5]", "0.8"]),
    ],
)
def test_read_spec_names_the_limit_when_it_is_no_quantity(tmp_path: Path, limit: str, fragments: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        read(MINIMAL + f'[objectives]\naccuracy = {{ measure = "accuracy", at_least = {limit} }}\n', tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'study.toml'}: objectives.accuracy.at_least: ")
    for fragment in fragments:
        assert fragment in message


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ('objectives = "accuracy"\n' + MINIMAL, "objectives", "[objectives]"),
        (MINIMAL + "[objectives]\naccuracy = 5\n", "objectives.accuracy", "accuracy"),
        ('name = "digits"\ndata = "digits"\n', "data", "[data]"),
        ("training = 12\n" + MINIMAL, "training", "[training]"),
    ],
)
def test_read_spec_shows_how_to_write_a_table_when_there_is_none(
    tmp_path: Path, text: str, key: str, remedy: str
) -> None:
    with pytest.raises(SpecError) as caught:
        read(text, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'study.toml'}: {key}: ")
    assert remedy in message.removeprefix(f"{tmp_path / 'study.toml'}: {key}: ")
    assert "instance of" not in message  # the writer of a spec does not know our classes
    assert "dictionary" not in message


def test_read_spec_tells_how_many_more_mistakes_there_are(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"and 1 more"):
        read("trials = 0\nseed = -1\n" + MINIMAL, tmp_path)


def test_read_spec_when_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read .no such file.*examples/digits.toml") as caught:
        read_spec(tmp_path / "none.toml")
    assert str(caught.value).startswith(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_bytes(b'name = "\xff\xfe"')])
def test_read_spec_when_the_file_cannot_be_read(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "odd.toml")
    with pytest.raises(SpecError, match="cannot be read|no text in UTF-8: save it as that"):
        read_spec(tmp_path / "odd.toml")


def test_a_wrong_share_is_not_taken_for_missing_images(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read(MINIMAL + "validation_fraction = 0.7\ntest_fraction = 0.6\n", tmp_path)
    assert "Say which images" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('name = "digits"\ntrials =\n', "line 2"),
        ('name = "digits\n', "line 1"),
        ('name = "a"\nname = "b"\n', "line 2"),
        ('{"name": "digits"}', "line 1"),
    ],
)
def test_read_spec_when_it_is_not_toml(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(SpecError, match=f"not valid TOML: .*{place}") as caught:
        read(text, tmp_path)
    assert str(tmp_path / "study.toml") in str(caught.value)
