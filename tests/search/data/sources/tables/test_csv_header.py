"""CSV files with an index, without a header, with columns in another order, or of another encoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.search.data.sources.test_table import refused, table
from tunefront.search.data.sources.table import TableSource


@pytest.mark.parametrize(
    ("written", "settings"),
    [
        (",file,class\n7,0.png,cat\n0,1.png,dog\n14,2.png,cat\n", {}),  # train_df.to_csv() after train_test_split
        ("Unnamed: 0,file,class\n7,0.png,cat\n0,1.png,dog\n14,2.png,cat\n", {}),
        ("Unnamed: 0.1,Unnamed: 0,file,class\n0,7,0.png,cat\n1,0,1.png,dog\n2,14,2.png,cat\n", {}),
        (",,file,class\n0,7,0.png,cat\n1,0,1.png,dog\n2,14,2.png,cat\n", {}),
        (",file,class\n7.0,0.png,cat\n0.0,1.png,dog\n-1,2.png,cat\n", {}),
        (",file,class,s\n7,0.png,cat,train\n0,1.png,dog,val\n1,2.png,cat,test\n", {"split_column": "s"}),
        ("file,Unnamed: 1,class\n0.png,7,cat\n1.png,0,dog\n2.png,14,cat\n", {}),
        (",class\n0,cat\n1,dog\n2,cat\n", {"extension": ".png"}),  # the index is the file
        (",age,class\n0,30,cat\n1,31,dog\n2,32,cat\n", {"extension": ".png", "label_column": "class"}),
        ("Unnamed: 0,age,class\n0,30,cat\n1,31,dog\n2,32,cat\n", {"extension": ".png", "label_column": "class"}),
        ("n,Unnamed: 1\n0.png,1\n1.png,2\n2.png,1\n", {"label_column": "Unnamed: 1"}),
        ("class,file\ncat,0.png\ndog,1.png\ncat,2.png\n", {"label_column": "class"}),
        (" class ,file\ncat,0.png\ndog,1.png\ncat,2.png\n", {"label_column": " class", "file_column": "file "}),
        ("0.png,p0,cat\n1.png,p1,dog\n2.png,p2,cat\n", {"label_column": "3"}),
        ("\n0.png,p0,cat\n1.png,p1,dog\n2.png,p2,cat\n", {"label_column": "3", "group_column": "2"}),
        ("0.png,cat,cat\n1.png,dog,dog\n2.png,cat,cat\n", {"label_column": "2"}),
        ("p0,0.png,cat\np1,1.png,dog\np2,2.png,cat\n", {"label_column": "3", "file_column": "2"}),
        ("0,cat\n1,dog\n2,cat\n", {"extension": ".png"}),
    ],
)
def test_an_index_or_no_header_changes_nothing(tmp_path: Path, written: str, settings: dict[str, Any]) -> None:
    path = table(tmp_path / "a", n=3)
    path.write_text(written)
    found = TableSource.model_validate({"source": "table", "path": str(path), **settings}).find()
    assert [Path(name).name for name in found.names] == ["0.png", "1.png", "2.png"]
    assert found.labels.tolist() == [0, 1, 0]
    assert len(found.class_names) == 2


@pytest.mark.parametrize(
    ("written", "settings", "expected"),
    [
        ("gone.png,cat\n1.png,dog\n", {}, "{}: 1 of 2 files are not there: "),
        ("gone.png,cat\n1.png,dog\n", {}, "\n  line 1: {folder}/gone.png"),
        ("\n\ngone.JPG,cat\n1.png,dog\n", {}, "\n  line 3: {folder}/gone.JPG"),
        ("img_0,cat\nimg_1,dog\n", {"extension": ".png"}, "\n  line 1: {folder}/img_0.png\n  line 2: "),
        ("0.png,dog,dog\n1.png,cat,cat\n", {}, "data.label_column: {} has the columns 1, 2, 3 (numbers, since its "),
        (
            "0.png,p,dog\n1.png,p,cat\n",
            {"label_column": "dog"},
            "data.label_column: {} has no column 'dog'. Known: 1, 2, 3 (its first line is a row already, so",
        ),
        ("p0,0.png\np1,1.png\n", {}, "names in the column '1', its first, but in '2': write file_column = \"2\""),
        (
            "label,file\ncat,0.png\ndog,1.png\n",
            {},
            "data.file_column: {} has no file names in the column 'label', its first, but in 'file': write "
            'file_column = "file"',
        ),
        ("label,file\ncat,x.png\ndog,y.png\n", {}, 'write file_column = "file"'),
        ("id,file,label\n5,0.png,cat\n6,1.png,dog\n", {"label_column": "label"}, 'write file_column = "file"'),
        (",a,b\nx,0.png,cat\ny,1.png,dog\n", {}, "has the columns (one without a name), a, b: which of them"),
        (",a,label\nx,0.png,cat\ny,1.png,dog\n", {"label_column": "label"}, "no file names in the column ''"),
        (
            ",file,class\n5,x,cat\n6,y,dog\n",
            {},
            "data.images or data.extension, or remove the rows; a column of row numbers without a name was passed over",
        ),
        ("file,class\n0.png,cat\n,dog\n", {}, "{}: rows without a file: name it, or remove the rows:\n  line 3"),
        ("file,class\n{long},cat\n1.png,dog\n", {}, "1 of 2 files are not there"),
        ("path,view,label\n0.png,v,cat\n1.png,v,dog\n", {}, 'Write label_column = "label", or, for'),
        ("path,Species,view\n0.png,cat,v\n1.png,dog,v\n", {}, 'Write label_column = "Species", or, for'),
        ("path,view,kind\n0.png,v,cat\n1.png,v,dog\n", {}, "Write label_column = with its name, or, for"),
        ("path,class,label\n0.png,v,cat\n1.png,v,dog\n", {}, "Write label_column = with its name, or, for"),
        ("file,s\n0.png,train\n1.png,test\n", {"split_column": "s"}, "data.label_column: {} has the columns file, s"),
        (
            "file,class,s\n0.png,cat,val\n1.png,dog,test\n",
            {"split_column": "s"},
            "data.split_column: {} has test and validation in the column 's', and no row is train: add the rows",
        ),
        (
            "file,class\n0.png,cat\n1.png,dog\n",
            {"file_column": "file", "label_column": "file"},
            "data.label_column: 'file' is the column of the files already",
        ),
        ("file,class\n0.png,cat\n1.png,a,b\n", {}, "needs quotes:\n  line 3: 3 values"),
        ("file,class,view\n0.png,cat\n1.png,dog,v\n", {}, "needs quotes:\n  line 2: 2 values"),
    ],
)
def test_a_table_that_was_misread_says_what_to_write(
    any_folder: Path, written: str, settings: dict[str, Any], expected: str
) -> None:
    path = table(any_folder / "a", n=2)
    path.write_text(written.replace("{long}", "x" * 300))
    assert expected.replace("{folder}", str(path.parent)).replace("{}", str(path)) in refused(path, **settings)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("file,class\n0.png,Zürich\n".encode("latin-1"), "(line 2 has the byte 0xfc; it may be Latin-1 or Windows"),
        ("file,class\n0.png,Zürich\n".encode("latin-1"), "save it as UTF-8"),
        ("file,class\n0.png,cat\n".encode("utf-16"), "it is UTF-16. Save it as UTF-8"),
        ("file,class\n0.png,cat\n".encode("utf-16-le"), "it is UTF-16. Save it as UTF-8"),
        (b"PK\x03\x04" + bytes(30), "is an Excel workbook: save it as CSV (UTF-8) there"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "run git lfs pull"),
        (b'file,class\n0.png,cat\n1.png,"a"b\n', "(from line 3 on: "),
    ],
)
def test_a_table_that_is_no_utf_8_text_says_what_to_do(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "odd.csv").write_bytes(content)
    message = refused(tmp_path / "odd.csv")
    assert message.startswith(f"data.path: {tmp_path / 'odd.csv'} ")
    assert expected in message
