"""The [data] tables of specs: one kind of source each, with clear errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunefront.search.data.sources import FileSource, Source
from tunefront.search.spec.errors import SpecError
from tunefront.search.spec.file import read_spec
from tunefront.search.spec.study_spec import StudySpec


def read(folder: Path, data: str) -> StudySpec:
    path = folder / "study.toml"
    path.write_text(f'name = "images"\n[data]\n{data}\n')
    return read_spec(path)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ('source = "digits"', Source),
        ('source = "folder"\npath = "images"', FileSource),
        ('source = "table"\npath = "labels.csv"\nextension = ".jpg"', FileSource),
        ('source = "npz"\npath = "data.npz"', Source),
        ('source = "own"\nobject = "mine.py:load"', Source),
        ('source = "folder"\npath = "a"\nimage_size = 64', FileSource),
        ('source = "folder"\npath = "a"\nimage_size = [48, 64]\nresize = "pad"\nchannels = 1', FileSource),
        ('source = "folder"\npath = "a"\nclasses = ["b", "a"]\npositive_class = "a"\nfolds = 5', FileSource),
    ],
)
def test_sources_go_into_the_store_and_back(tmp_path: Path, data: str, kind: type[Source]) -> None:
    spec = read(tmp_path, data)
    assert isinstance(spec.data, kind)
    again = StudySpec.from_json(json.loads(json.dumps(spec.as_json())))
    assert again.data == spec.data
    assert again.as_json() == spec.as_json()


@pytest.mark.parametrize(
    ("data", "key", "fragments"),
    [
        ('source = "foldr"', "data.source", ["'foldr'", "Did you mean 'folder'?"]),
        ("source = 3", "data.source", ["3", "folder"]),
        ('path = "a"', "data.source", ["missing", 'source = "digits"']),
        ('source = "folder"', "data.path", ["missing"]),
        ('source = "folder"\npth = "a"', "data.pth", ["no such key", "path"]),
        ('source = "folder"\npath = "a"\nresise = "pad"', "data.resise", ["no such key", "Did you mean 'resize'?"]),
        ('source = "digits"\npath = "a"', "data.path", ["no such key", "validation_fraction"]),
        ('source = "folder"\npath = 3', "data.path", ["3 is not possible"]),
        ('source = "folder"\npath = "a"\nimage_size = 0', "data.image_size", ["0 is not possible"]),
        (
            'source = "folder"\npath = "a"\nimage_size = "big"',
            "data.image_size",
            ["'big' is not possible", "[height, width]"],
        ),
        ('source = "folder"\npath = "a"\nimage_size = [3, 0]', "data.image_size", ["not possible"]),
        ('source = "folder"\npath = "a"\nimage_size = true', "data.image_size", ["True is not possible"]),
        ('source = "folder"\npath = "a"\nimage_size = [3]', "data.image_size", ["not possible"]),
        ('source = "folder"\npath = "a"\nresize = "shrink"', "data.resize", ["'shrink'", "'stretch', 'crop' or 'pad'"]),
        ('source = "folder"\npath = "a"\nclasses = [1]', "data.classes.0", ["1 is not possible"]),
        ('source = "digits"\nclasses = ["1", "1"]', "data", ["names a class twice"]),
        ('source = "digits"\nfolds = 1', "data", ["folds = 1 is no cross-validation"]),
        ('source = "digits"\nrare_classes = "ignore"', "data.rare_classes", ["'error', 'train' or 'drop'"]),
    ],
)
def test_badly_written_sources_name_key_and_remedy(tmp_path: Path, data: str, key: str, fragments: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, data)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'study.toml'}: {key}: ")
    for fragment in fragments:
        assert fragment in message
    assert "more)" not in message  # one mistake each, however many types it fails
    assert "tuple" not in message
