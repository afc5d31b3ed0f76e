"""`bouncer lists import` makes a list of what other programs export, and asks nothing."""

import io
from pathlib import Path

import pytest

from bouncer_cli import command_line as cli
from bouncer_cli.list_files import read_list_at
from bouncer_cli.list_import import name_of


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def imported(text: str | bytes, *options: str, name: str = "Staff 2026.csv") -> int:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return cli.main(["lists", "import", name, *options])


def written(name: str = "staff-2026") -> tuple[str, str]:
    paths = [Path("lists") / f"{name}.{ending}" for ending in ("yaml", "csv")]
    document, file = (path.read_text(encoding="utf-8") for path in paths)
    return document, file


def test_the_column_of_the_entries_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it stands, and whatever it is called; the others keep their names."""
    assert (
        imported("Name;Login;Successor\nAnn;ann@example.com;bob@example.com\nB;b@c.example;\n") == 0
    )
    assert written() == (
        "kind: addresses\nfile: staff-2026.csv\n",
        "address,name,successor\nann@example.com,Ann,bob@example.com\nb@c.example,B,\n",
    )
    assert capsys.readouterr().out == (
        "staff-2026: 2 addresses with name, successor, in lists/staff-2026.csv and "
        "lists/staff-2026.yaml\n"
    )
    about = read_list_at(Path("lists/staff-2026.yaml")).about
    assert (about.kind, about.columns, about.entries) == ("addresses", ("name", "successor"), 2)


@pytest.mark.parametrize(
    ("text", "kind", "file"),
    [
        ("ann@example.com\n", "addresses", "ann@example.com\n"),
        ("\ufeffMail\r\nann@example.com\r\n", "addresses", "address\nann@example.com\n"),
        ("User principal name\nann@example.com\n", "addresses", "address\nann@example.com\n"),
        ("192.0.2.0/24\n\n198.51.100.7\n", "networks", "192.0.2.0/24\n198.51.100.7\n"),
        ("example.com\nb\u00fccher.example\n", "domains", "example.com\nb\u00fccher.example\n"),
        ("# spam\na.example,1\n", "domains", "domain,column_2\na.example,1\n"),
        (
            "Domain,x,x,\na.example,1,2,3",
            "domains",
            "domain,x,xcolumn_3,column_4\na.example,1,2,3\n",
        ),
        ('"Ann, Dr",a@b.example\n"Bob\tx",b@b.example\n', "addresses", None),
    ],
)
def test_kind_and_heading_are_found_out(text: str, kind: str, file: str | None) -> None:
    """By the entries themselves, as spreadsheets and directories write them."""
    assert imported(text) == 0
    document, found = written()
    assert document.startswith(f"kind: {kind}\n")
    assert file in (None, found)
    assert read_list_at(Path("lists/staff-2026.yaml")).about.kind == kind


def test_options_say_what_cannot_be_found_out() -> None:
    """Words, subdomains, a name, a folder, a description."""
    assert imported("cheap pills\nwin big\n", "--kind", "words", "--lists", "mine") == 0
    assert Path("mine/staff-2026.yaml").read_text() == "kind: words\nfile: staff-2026.csv\n"
    options = ["--name", "bad", "--subdomains", "--description", 'Bad: "all"']
    assert imported("a.example\n", *options) == 0
    assert written("bad")[0] == (
        'description: "Bad: \\"all\\""\nkind: domains\nsubdomains: true\nfile: bad.csv\n'
    )
    assert read_list_at(Path("lists/bad.yaml")).about.subdomains


def test_lines_that_are_not_entries_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With their lines in the file that was imported; nothing is written."""
    assert imported("Name,Mail\nA,a@b.example\n\n# x\nB,b@b.example\nC,nobody\n") == 2
    assert capsys.readouterr().err == (
        'Staff 2026.csv:6: found "nobody", expected an address such as ann@example.com (domains '
        "need a list of kind domains)\n"
    )
    assert imported("a@b.example,1\nb@b.example,2\nnobody,3\n") == 2
    assert capsys.readouterr().err.startswith('Staff 2026.csv:3: found "nobody", expected')
    assert not Path("lists").exists()


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    """Importing the same file again changes nothing; another one needs another name."""
    for _ in range(2):
        assert imported("a@b.example\n") == 0
    Path("lists/staff-2026.yaml").unlink()  # the command was interrupted
    assert imported("a@b.example\n") == 0
    before = written()
    capsys.readouterr()
    assert imported("c@b.example\n") == 2
    assert capsys.readouterr().err.startswith(
        "lists/staff-2026.csv: found a list of this name, expected none: remove its files first"
    )
    assert written() == before
    Path("lists/other.txt").write_text("x@b.example\n")
    assert imported("c@b.example\n", "--name", "other") == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "found no entry, expected at least one"),
        (b"\n# nothing\n", "found no entry, expected at least one"),
        (b"some\nwords\n", "found no column of addresses, domains or networks, expected one"),
        (b"\xff\xfea", ":1: found bytes that are not UTF-16, expected UTF-8 text"),
        (b"\xe9@b.example", ":1: found bytes that are not UTF-8"),
        (b'a@b.example,"x\n', ":1: found a row that is not CSV"),
    ],
)
def test_files_that_are_not_lists_are_refused(
    capsys: pytest.CaptureFixture[str], text: bytes, says: str
) -> None:
    """Each in one sentence, and nothing is written."""
    assert imported(text) == 2
    assert says in capsys.readouterr().err
    assert not Path("lists").exists()


def test_a_file_that_is_missing_or_unnamed_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard input has no name."""
    assert cli.main(["lists", "import", "none.csv"]) == 2
    assert capsys.readouterr().err.startswith("none.csv: can't be read (No such file")
    assert cli.main(["lists", "import", "-"]) == 2
    assert capsys.readouterr().err.startswith("--name: found none, expected one")
    assert imported("a@b.example", "--name", "a b") == 2
    assert capsys.readouterr().err.startswith("--name: found 'a b', expected letters")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a@b.example\n")))
    assert cli.main(["lists", "import", "-", "--name", "in"]) == 0
    assert written("in")[1] == "a@b.example\n"


@pytest.mark.parametrize(
    ("file", "name"), [("A B.csv", "a-b"), ("x/Staff_1.2.txt", "staff_1-2"), ("\u00e4.csv", "list")]
)
def test_a_list_is_named_for_its_file(file: str, name: str) -> None:
    """In characters that a rule can name."""
    assert name_of(file) == name
