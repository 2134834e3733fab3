"""CSV files: what is right is read to the bit, what is wrong is named by line and column."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.data import DataFileError, load_iris, read_csv

PETS = "kg,legs,kind\n4.1,4,cat\n0.3,2,bird\n30,4,dog\n3.9,4,cat\n"


@pytest.fixture
def write(tmp_path: Path):
    def to_file(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return to_file


def refusal(path: Path, *args, **options) -> str:
    with pytest.raises(DataFileError) as caught:
        read_csv(path, *args, **options)
    text = str(caught.value)
    assert text.startswith(str(path))
    return text.removeprefix(str(path))


# What is right


def test_a_table(write) -> None:
    pets = read_csv(write(PETS), "kind")
    np.testing.assert_array_equal(pets.x, [[4.1, 4], [0.3, 2], [30, 4], [3.9, 4]])
    assert pets.x.dtype == np.float64
    assert pets.x.flags.c_contiguous
    assert pets.x.flags.writeable
    assert pets.y.dtype == np.int64
    assert pets.y.tolist() == [1, 0, 2, 1]
    assert pets.class_names == ("bird", "cat", "dog")
    assert pets.feature_names == ("kg", "legs")
    assert (pets.target_name, pets.dropped) == ("kind", 0)
    assert "x: float64[4, 2]" in repr(pets)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: (text + "\n\n\r\n").encode(),
        lambda text: ("\n" + text).encode(),
        lambda text: text.replace(",", " , ").encode(),
        lambda text: text.replace("cat", '"cat"').replace("kg", '"kg"').encode(),
    ],
    ids=["bom", "crlf", "no-last-newline", "blank-end", "blank-begin", "spaces", "quotes"],
)
def test_the_same_table_in_other_clothes(write, change) -> None:
    plain = read_csv(write(PETS), "kind")
    other = read_csv(write(change(PETS)), "kind")
    np.testing.assert_array_equal(other.x, plain.x)
    np.testing.assert_array_equal(other.y, plain.y)
    assert (other.class_names, other.feature_names) == (plain.class_names, plain.feature_names)


def test_other_delimiters_and_encodings(write) -> None:
    german = "größe;art\n1.5;Kröte\n2;Molch\n"
    for encoding in ("utf-8", "latin-1"):
        table = read_csv(write(german.encode(encoding)), -1, delimiter=";", encoding=encoding)
        assert table.feature_names == ("größe",)
        assert table.class_names == ("Kröte", "Molch")
    tabs = read_csv(write("a\tb\n1\t2\n"), delimiter="\t")
    assert (tabs.x.tolist(), tabs.y, tabs.class_names) == ([[1, 2]], None, None)


def test_iris_as_it_ships(tmp_path: Path) -> None:
    iris = load_iris()
    path = tmp_path / "iris.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow([*iris.feature_names, "species"])
        for row, label in zip(iris.x, iris.y, strict=True):
            out.writerow([*map(repr, row.tolist()), iris.class_names[label]])
    read = read_csv(path, "species")
    np.testing.assert_array_equal(read.x, iris.x)
    np.testing.assert_array_equal(read.y, iris.y)
    assert read.class_names == iris.class_names
    assert read.feature_names == iris.feature_names


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53)),
        min_size=1,
    )
)
def test_numbers_come_back_to_the_bit(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text("a,b\n" + "".join(f"{x!r},{y}\n" for x, y in rows), encoding="utf-8")
    read = read_csv(path)
    assert read.x.tobytes() == np.array(rows, np.float64).tobytes()


def test_columns_names_and_no_header(write) -> None:
    path = write("1,2,3\n4,5,6\n")
    table = read_csv(path, header=False)
    assert table.feature_names == ("0", "1", "2")
    assert table.x.tolist() == [[1, 2, 3], [4, 5, 6]]
    table = read_csv(path, "y", header=False, names=["a", "b", "y"], target_kind="number")
    assert (table.x.tolist(), table.y.tolist()) == ([[1, 2], [4, 5]], [3, 6])
    assert table.y.dtype == np.float64
    replaced = read_csv(path, names=["a", "b", "c"])  # the first line is a header of numbers
    assert replaced.x.tolist() == [[4, 5, 6]]
    chosen = read_csv(write(PETS), "kind", columns=["legs", 0])
    assert chosen.feature_names == ("legs", "kg")
    assert chosen.x[0].tolist() == [4, 4.1]
    text_left_out = read_csv(write("name,kg\nTom,4\n"), columns=["kg"])
    assert text_left_out.x.tolist() == [[4]]


def test_classes(write) -> None:
    numbers = read_csv(write("a,y\n1,10\n2,9\n3,10\n"), "y")
    assert (numbers.class_names, numbers.y.tolist()) == (("9", "10"), [1, 0, 1])
    given = read_csv(write(PETS), "kind", classes=["dog", "cat", "bird"])
    assert given.y.tolist() == [1, 2, 0, 1]
    assert given.class_names == ("dog", "cat", "bird")


def test_integers(write) -> None:
    path = write(f"a\n{2**62}\n-3\n")
    table = read_csv(path, dtype=np.int64)
    assert table.x.dtype == np.int64
    assert table.x.ravel().tolist() == [2**62, -3]  # exact, beyond what a float holds
    small = read_csv(write("a,b\n0,255\n"), dtype=np.uint8)
    assert (small.x.dtype, small.x.tolist()) == (np.uint8, [[0, 255]])


def test_missing_values(write) -> None:
    path = write("a,b,y\n1,,u\n2,NA,v\n3,4,u\n?,5,v\n")
    table = read_csv(path, "y", missing="nan")
    np.testing.assert_array_equal(table.x, [[1, np.nan], [2, np.nan], [3, 4], [np.nan, 5]])
    table = read_csv(path, "y", missing="drop")
    assert (table.x.tolist(), table.y.tolist(), table.dropped) == ([[3, 4]], [0], 3)
    minus = read_csv(write("a\n-1\n5\n"), missing="nan", missing_values=["-1"])
    np.testing.assert_array_equal(minus.x.ravel(), [np.nan, 5])
    left_out = read_csv(write("a,b\n1,\n2,3\n"), columns=["a"])
    assert left_out.x.tolist() == [[1], [2]]


# What is wrong


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,c\n1,2,3\n4,5\n", ":3: the row has 2 fields, and the table has 3 columns: values are "
         "missing from column 3 ('c') on"),
        ("a,b\n1,2\n1,2,3\n", ":3: the row has 3 fields, and the table has 2 columns: put quotes"),
        ("a;b\n1;2\n", ":2: column 1 ('a;b'): '1;2' is not a number: mend it, or leave it out of "
         "columns (the table has one column: is the delimiter right?)"),
        ("a;b\n1,5;2\n", ":2: the row has 2 fields, and the table has 1 columns: is the delimiter"),
        ("a,b\n1;2\n", ":2: the row has 1 fields, and the table has 2 columns: is the delimiter r"),
        ("a,b\n1,2\n\n3,4\n", ":3: a blank line among the rows"),
        ("a,b\n1,2\n3,\n", ":3: column 2 ('b'): a value is missing (''): fill it in, or pass "
         'missing="drop" or missing="nan"'),
        ("a,b\n1,NaN\n", ":2: column 2 ('b'): a value is missing ('NaN')"),
        ("a,b\n1,2\n3,4 kg\n", ":3: column 2 ('b'): '4 kg' is not a number"),
        ("a,b\n1,1_000\n", ":2: column 2 ('b'): '1_000' is not a number"),
        ("a,b\n1,inf\n", ":2: column 2 ('b'): inf is not a finite float64"),
        ("a,b\n1,1e999\n", ":2: column 2 ('b'): 1e999 is not a finite float64"),
        ("a,a\n1,2\n", ":1: column 2 ('a'): the name 'a' stands there twice"),
        ("a,\n1,2\n", ":1: column 2 (''): the name is empty"),
        ("1,2\n3,4\n", ":1: the first line holds only numbers"),
        ("", ": the file is empty"),
        ("\n\r\n\n", ": the file is empty"),
        ("\ufeff", ": the file is empty"),
        ("a,b\n", ": there is no row of data in it"),
        ('a,b\n1,"2\n3,4\n', ":2: a quote that opens there is never closed"),
        ('a,b\n1,"2"3\n', ":2: the quotes are wrong"),
        ("a,b\r1,2\r3,4\r", ":1: a carriage return stands inside the line"),
        (b"a,b\n1,\x00\n", ":2: byte 3 of the line is NUL"),
        (b"a,b\n1,2\n\xff,4\n", ":3: byte 1 of the line, 0xff, is not utf-8"),
        ("größe,b\n1,2\n".encode("latin-1"), ":1: byte 3 of the line, 0xf6, is not utf-8"),
        ("a,b\n1,2\n".encode("utf-16"), ":1: the file is in UTF-16"),
        ("a,b\n1,2\n".encode("utf-32"), ":1: the file is in UTF-32"),
        ("a,b\n1,2\n".encode("utf-16-le"), ":1: byte 2 of the line is NUL"),
    ],
)  # fmt: skip
def test_a_broken_file_is_named_by_line_and_column(write, content, message: str) -> None:
    text = refusal(write(content))
    assert text.startswith(message)
    assert text.removeprefix(message).isascii()


def test_faults_of_the_target(write) -> None:
    assert refusal(write("a,y\n1,u\n2,\n"), "y").startswith(
        ":3: column 2 ('y'): a value is missing"
    )
    text = refusal(write("a,y\n1,u\n2,\n"), "y", missing="nan")
    assert text.startswith(":3: column 2 ('y'): a value is missing")
    text = refusal(write("a,y\n1,0\n2,3\n"), "y", classes=["0", "1", "2"])
    assert text.startswith(":3: column 2 ('y'): '3' is none of the 3 classes '0', '1', '2'")
    text = refusal(write("a,y\n1,u\n"), "y", target_kind="number")
    assert text.startswith(":2: column 2 ('y'): 'u' is not a number")
    text = refusal(write("a,b\n1,\n,2\n"), missing="drop")
    assert text == ": there is no row of data without a missing value (2 were dropped)"


@pytest.mark.parametrize(
    ("cell", "dtype", "message"),
    [
        ("1.5", np.int64, "1.5 is not a whole number, and dtype is int64: pass dtype=float"),
        ("256", np.uint8, "256 does not fit uint8 (0 to 255)"),
        ("-1", np.uint8, "-1 does not fit uint8"),
        (str(2**63), np.int64, "does not fit int64"),
        ("1e39", np.float32, "1e39 is not a finite float32"),
        ("70000", np.float16, "70000 is not a finite float16"),
    ],
)
def test_a_value_must_fit_the_dtype(write, cell: str, dtype, message: str) -> None:
    text = refusal(write(f"a,b\n1,2\n3,{cell}\n"), dtype=dtype)
    assert text.startswith(":3: column 2 ('b'): ")
    assert message in text


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n3,"])
def test_a_line_of_two_gigabytes_is_not_read(write, content: bytes) -> None:
    """A file with a hole: it takes no room on the disk, and must take none in memory."""
    path = write(content)
    with open(path, "r+b") as file:
        file.truncate(2 << 30)
    tracemalloc.start()
    try:
        text = refusal(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    line = 1 + content.count(b"\n")
    assert text.startswith(f":{line}: the line is longer than 16,777,216 bytes and was not read")
    assert peak < 70_000_000


def test_a_long_line_or_field(write) -> None:
    assert ":1: the line is longer than 10 bytes" in refusal(write("a,b,c,d,e,f,g\n"), max_line=10)
    assert read_csv(write("a,b,c,d,ef\n1,2,3,4,5\n"), max_line=11).x.shape == (1, 5)
    text = refusal(write('a,b\n1,"' + "2\n" * 100_000))
    assert text.startswith(":2: a field is larger than 131,072 characters")
    assert "a quote that opens there is never closed" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "x"}, r"target: there is no column 'x'; there are \['kg', 'legs', 'kind'\]"),
        ({"target": 3}, "target: there is no column number 3; there are 3"),
        ({"target": "kind", "columns": ["kg", "kg"]}, "no column twice"),
        ({"target": "kind", "columns": ["kind"]}, "the target none of them"),
        ({"columns": []}, "there must be a feature"),
        ({"dtype": "complex128"}, "dtype must be a floating or an integer type"),
        ({"dtype": "bool"}, "dtype must be a floating or an integer type"),
        ({"target_kind": "text"}, "target_kind must be 'class' or 'number'"),
        ({"classes": ["a"]}, "classes names the labels of a target"),
        ({"missing": "fill"}, "missing must be 'error', 'nan' or 'drop'"),
        ({"missing": "nan", "dtype": "int64"}, "int64 has no NaN"),
        ({"delimiter": ",,"}, "delimiter must be one character"),
        ({"max_line": 0}, "max_line must be positive"),
        ({"names": ["a", "b"]}, "names has 2 names, and line 1 of .* has 3 columns"),
    ],
)
def test_wrong_arguments_are_refused(write, options, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(write(PETS), **options)
    assert not isinstance(caught.value, DataFileError)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv")


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=60), at=st.integers(0, len(PETS)))
def test_rubbish_is_refused_or_read_never_worse(tmp_path_factory, data: bytes, at: int) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(PETS[:at].encode() + data + PETS[at:].encode())
    try:
        table = read_csv(path, -1)
    except ValueError as error:  # DataFileError is one
        told = str(error)
        assert str(path) in told or "column" in told
        return
    assert np.isfinite(table.x).all()
    assert len(table.x) == len(table.y) > 0
