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
    out, err = capsys.readouterr()
    assert out == (
        "staff-2026: 2 addresses from column Login, with name and successor, in "
        "lists/staff-2026.csv and lists/staff-2026.yaml\n"
    )
    assert err.splitlines()[0] == (
        'note: Staff 2026.csv:1: "Login" is taken for the name of the column'
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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("192.0.2.7/24\n10.0.0.0/8\n", ':1: found "192.0.2.7/24", expected'),
        (
            "ann@@example.com\nbob@example.com\ncarl@example.com\n",
            ':1: found "ann@@example.com", expected an address',
        ),
        ("ann@example.com\nspam.example\n", ':2: found "spam.example", expected an address'),
        ("x,*.example\ny,spam.example\n", ':1: found "*.example", expected'),
        ("7\n198.51.100.7\n", ':1: found "7", expected'),
    ],
)
def test_a_first_row_like_an_entry_is_one(
    capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    """It is never lost as the name of a column: if it is invalid, it is refused by its line."""
    assert imported(text) == 2
    assert says in capsys.readouterr().err
    assert not Path("lists").exists()


@pytest.mark.parametrize("name", ["Kontakt", "E-mail 1 - Value"])
def test_another_first_row_is_said_to_be_a_name(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Nobody can tell it from an entry that is wrong; one of a known name needs no note."""
    assert imported(f"{name}\na@b.example\n") == 0
    note = f'note: Staff 2026.csv:1: "{name}" is taken for the name of the column\n'
    assert capsys.readouterr().err == note
    assert imported("Mail\na@b.example\n", "--name", "b") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id;mail;mail2\n1;a@b.example;x\n", "1 address from column mail, with id and mail2, in "),
        ("1,a.example\n2,b.example\n", "2 domains from column 2, with column_1, in "),
        ("a.example\n", "staff-2026: 1 domain, in "),
    ],
)
def test_the_column_that_was_taken_is_named(
    capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    """By its name in the file, or by its number."""
    assert imported(text) == 0
    assert says in capsys.readouterr().out


def test_an_address_is_taken_out_of_brackets() -> None:
    """As mail programs write it, with a name; other columns stay as they are."""
    text = 'Mail;Successor\n"B, Ann <ann@example.com>";Bob <bob@example.com>\n<c@example.com>;\n'
    assert imported(text) == 0
    assert written()[1] == (
        "address,successor\nann@example.com,Bob <bob@example.com>\nc@example.com,\n"
    )


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (
            "domains",
            "id,domain\n1,*.spam.example\n2,*.b.example\n",
            'domains; in line 2, column domain has "*.spam.example", expected "spam.example"',
        ),
        (
            "addresses",
            "Ann\nBob\n",
            'addresses; in line 2, column Ann has "Bob", expected an address such as',
        ),
        (
            "networks",
            "# none\na.example\n",
            'networks; in line 2, column 1 has "a.example", expected',
        ),
        (
            "domains",
            "domain\na.example\n1\n-\n",
            'domains; in line 2, column domain has "a.example", expected entries of this kind',
        ),
    ],
)
def test_without_a_column_of_the_kind_a_cell_is_shown(
    capsys: pytest.CaptureFixture[str], kind: str, text: str, says: str
) -> None:
    """The kind was named already, so the next step is another one."""
    assert imported(text, "--kind", kind) == 2
    assert f"Staff 2026.csv: found no column of {says}" in capsys.readouterr().err
    assert not Path("lists").exists()


def test_a_list_is_replaced_if_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """As by the export of every week; a list of the name in another form is not touched."""
    for text in ("a@b.example\n", "c@b.example\n", "c@b.example\n"):
        assert imported(text, "--replace") == 0
    assert written()[1] == "c@b.example\n"
    assert sorted(path.name for path in Path("lists").iterdir()) == [
        "staff-2026.csv",
        "staff-2026.yaml",
    ]
    Path("lists/staff-2026.txt").write_text("x@b.example\n")
    capsys.readouterr()
    assert imported("d@b.example\n", "--replace") == 2
    assert capsys.readouterr().err == (
        "lists/staff-2026.txt: found a list of this name, expected none: remove it, or name the "
        "list otherwise with --name\n"
    )
    assert written()[1] == "c@b.example\n"


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
        "lists/staff-2026.csv: found a list of this name, expected none: write over it with"
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
