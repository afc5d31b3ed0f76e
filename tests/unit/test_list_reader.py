"""Lists as people keep them: what other programs export is read, doubts are told by line."""

import csv
import io
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer.errors import DocumentError
from bouncer.rules.entry_file import LONGEST_FILE
from bouncer.rules.fields import Kind
from bouncer.rules.list_about import ReadList
from bouncer.rules.list_kind import ListKind
from bouncer.rules.list_reader import READING, ListFile, read_list, read_list_file
from bouncer.rules.named_list import NamedList
from bouncer.rules.rule_reader import read_rule

_TWICE = '(first: "ann@example.com" in line 2), expected each entry once'
_OVERLAP = (
    'a.csv:3: found "192.0.2.64/26", which "192.0.2.0/24" in line 2 includes, '
    "expected entries that do not overlap"
)


def read(text: str | bytes) -> ReadList:
    return read_list_file(ListFile("a.csv", text.encode() if isinstance(text, str) else text))


def found(text: str, kind: Kind, value: Any, *, tagless: bool = False) -> tuple[str, ...] | None:
    """The columns beside a value in a list; None without it."""
    finder = NamedList(read(text).form).row_finder(kind, tagless=tagless)
    assert finder
    return finder(value)


def warnings(text: str) -> list[str]:
    return list(map(str, read(text).warnings))


@pytest.mark.parametrize(
    "text",
    [
        "address,successor,note\nann@example.com,bob,x\n",
        "\ufeffAddress,Successor,Note\r\nann@example.com,bob,x\r\n\r\n",
        "email;successor;note\n;;\nann@example.com;bob;x\n",
        "E-Mail\tSuccessor\tNote\n# left in May\n Ann@Example.com \tbob\tx\n",
        '"address","successor","note"\n"ann@example.com","bob","x"\n',
        "address,successor,note,\nann@example.com,bob,x,\n",
        "address,successor,note,,\r\nann@example.com,bob,x\r\n,,,,\r\n",
        "EMAIL;SUCCESSOR;NOTE\rann@example.com;bob;x\r",
        "sep=;\r\nE-Mail-Adresse;Successor;Note\r\nann@example.com;bob;x\r\n",
        '\ufeff"SEP=\t"\nCorreo electr\u00f3nico\tSuccessor\tNote\nann@example.com\tbob\tx\n',
        "sep=|\nadresse e-mail|successor|note\nann@example.com|bob|x\n",
        "# people, who left\n\n;;\nemail;successor;note\nann@example.com;bob;x\n",
        '"# people, who left";;\nemail;successor;note\nann@example.com;bob;x\n',
        'email;"Successor";note\n#;"quoted" in a comment\nann@example.com;bob;x\n',
        '"E-Mail\r\nAddress";successor;note\r\n"ann@example.com";bob;x\r\n',
        'address, successor, note\nann@example.com, "bob", "x"\n',
    ],
)
def test_what_spreadsheets_export_is_read(text: str) -> None:
    """A byte order mark, quotes, empty lines, other separators and comments change nothing."""
    assert read(text).about.columns == ("successor", "note")
    assert not read(text).warnings
    assert found(text, Kind.ADDRESS, "ANN@example.com") == ("bob", "x")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_read_if_it_says_so(encoding: str) -> None:
    """Excel's "Unicode text" begins with a byte order mark, so that nothing is guessed."""
    text = "Address\tName\r\nann@example.com\tJ\u00f6rg\r\n"
    data = ("" if encoding == "utf-16" else "\ufeff") + text
    about = read(data.encode(encoding)).about
    assert (about.columns, about.entries) == (("name",), 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"a,b";x\nann@example.com;c\n', 'found "a,b" above the entries, expected address, domain'),
        ("\nKunde;Nr\n", '2: found "Kunde" above the entries, expected address, domain, network'),
        ("lottery,5\n", 'found "lottery" above the entries, expected address, domain, network or'),
        (
            "Name;E-Mail\nAnn;ann@example.com\nBob;bob@example.com\n",
            'found "Name" above the entries, expected "E-Mail", as the entries stand in the first',
        ),
        ("ann@example.com;x\nbob@example.com;y\n", "found 2 columns, expected 1 (a first row"),
        ("example.com\tx\n", "found 2 columns, expected 1 (a first row"),
        ("address,,x\nann@example.com,,1", "found no name above column 2, expected the name of a"),
    ],
)
def test_a_first_row_that_is_not_understood_is_named_once(text: str, says: str) -> None:
    """With the words that can stand there; not each line below it."""
    with pytest.raises(DocumentError) as caught:
        read(text)
    (problem,) = map(str, caught.value.problems)
    assert says in problem


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Full  name:", "full_name"),
        ("Stra\u00dfe", "stra\u00dfe"),
        ("\u00dcber uns", "\u00fcber_uns"),
        ("U\u0308ber", "\u00fcber"),
        ("\u59d3\u540d", "\u59d3\u540d"),
        ("\u0928\u093e\u092e 2", "\u0928\u093e\u092e_2"),
        ("__Tel.__", "tel"),
    ],
)
def test_columns_keep_the_letters_of_all_scripts(heading: str, name: str) -> None:
    """In lower case; what a rule writes for them is what `lists check` shows."""
    assert read(f"email,{heading}\nann@example.com,x\n").about.columns == (name,)
    condition, text = "when: {recipient: {in: a}}", f"{{recipient}}: {{a.{name}}}"
    rule = read_rule("1", f"{condition}\nreject: {{type: Undefined, message: '{text}'}}")
    assert rule.rejection
    assert rule.columns == (("a", name),)


def test_a_text_alone_is_a_list_of_addresses() -> None:
    """One entry in each line; plus tags are as in rules."""
    text = "ann@example.com\nbob+news@example.com\n"
    assert read(text).about.kind is ListKind.ADDRESSES
    assert found(text, Kind.ADDRESS, "ann+x@example.com", tagless=True) == ()
    assert found(text, Kind.ADDRESS, "ann+x@example.com") is None
    assert found(text, Kind.ADDRESS, "bob@example.com", tagless=True) is None
    assert found(text, Kind.ADDRESS, "bob+news@example.com", tagless=True) == ()


def test_the_more_specific_network_gives_the_columns() -> None:
    """Of networks that overlap, the one with the longest prefix; the overlap is told."""
    text = "network,name\n192.0.2.0/24,wide\n192.0.2.64/26,narrow\n2001:db8::/32,six\n"
    asked = {"192.0.2.70": ("narrow",), "192.0.2.1": ("wide",), "2001:db8::1": ("six",)}
    for address, row in asked.items():
        assert found(text, Kind.NETWORK, ip_address(address)) == row
    assert found(text, Kind.NETWORK, ip_address("198.51.100.1")) is None
    assert warnings(text) == [
        _OVERLAP,
    ]


def test_duplicates_are_told_and_the_first_stays() -> None:
    """In whatever case they are written, with both lines."""
    text = "address,to\nann@example.com,bob\nANN@example.com,carl\nann@EXAMPLE.com,bob\n"
    assert found(text, Kind.ADDRESS, "ann@example.com") == ("bob",)
    assert warnings(text) == [
        f'a.csv:3: found "ANN@example.com" again with other columns, which do not count {_TWICE}',
        f'a.csv:4: found "ann@EXAMPLE.com" again {_TWICE}',
    ]


def test_overlapping_domains_are_told() -> None:
    """Only if subdomains are meant: else one does not include the other."""
    document = "kind: domains\nsubdomains: {}\nentries: [mail.example.com, example.com]"
    for subdomains, count in (("true", 1), ("false", 0)):
        text = document.replace("{}", subdomains)
        assert (
            len(read_list(text, document="a.yaml", read=lambda _: ListFile("", b"")).warnings)
            == count
        )


def test_a_word_with_signs_is_doubted() -> None:
    """They do not count, so that `c++` is found in every text with the word c."""
    assert warnings("word\nc++\nspecial offer\n") == [
        'a.csv:2: found "c++", expected "c", as which it is compared: only letters and digits count'
    ]


@pytest.mark.parametrize(
    "entry", ["\u514d\u8d39", "buy \u30bb\u30fc\u30eb now", "\u0e1f\u0e23\u0e35"]
)
def test_a_word_of_a_script_without_blanks_is_doubted(entry: str) -> None:
    """Texts in it have no words that could be found whole."""
    (told,) = warnings(f"word\n{entry}\n\ubb34\ub8cc \uc120\ubb3c\n")
    assert told == (
        f'a.csv:2: found "{entry}", expected a script with blanks between words, as only whole '
        f'words are found: in a rule, write contains: "{entry}"'
    )


def test_an_ip_address_among_domains_is_doubted() -> None:
    """It is valid, but the address of a host is another field."""
    (told,) = warnings("domain\n192.0.2.1\nexample.com\n")
    assert told.endswith("expected a domain (an IP address belongs in a list of kind networks)")


def test_a_row_with_an_empty_cell_is_doubted() -> None:
    """A text must not have a gap there; cells that no rule shows may be left empty."""
    assert warnings("address,to,tel\nann@example.com,bob\nbob@example.com,,\nc@b.de,x,y\n") == [
        f'a.csv:{line}: found no {gaps} beside "{entry}@example.com", expected one: a rule whose '
        "text shows it is unknown for this entry"
        for line, gaps, entry in ((2, "tel", "ann"), (3, "to and no tel", "bob"))
    ]


def test_a_dot_at_the_end_does_not_count() -> None:
    """Of an address and of a domain: both are found as mail has them."""
    assert found("ann@example.com.\n", Kind.ADDRESS, "ann@example.com") == ()
    assert found("domain\nexample.com.\n", Kind.DOMAIN, "example.com") == ()


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("address", "a\u0378@example.com"),
        ("address", "ann@exam\ue000ple.com"),
        ("address", "mailto:ann@example.com"),
        ("address", "'ann@example.com'"),
        ("address", "ann@example.com)"),
        ("address", "ann@example..com"),
        ("domain", "exam\U000f0000ple.com"),
        ("domain", "exa~mple.com"),
        ("network", "fe80::1%eth0"),
        ("network", "::ffff:192.0.2.0/120"),
    ],
)
def test_an_entry_that_no_mail_can_match_is_refused(kind: str, entry: str) -> None:
    """In `unless: in: mailboxes`, mail to it would be rejected, and nobody would know why."""
    with pytest.raises(DocumentError) as caught:
        read(f"{kind}\n{entry}\n")
    assert str(caught.value).startswith("a.csv:2: found ")


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("address", "o'neil+x=a@b_c.example"),
        ("address", "ann@[192.0.2.1]"),
        ("address", "b\u00f6b@b\u00fccher.example"),
        ("domain", "_dmarc.xn--bcher-kva.example"),
        ("domain", "b\u00fccher\u3002example"),
        ("network", "2001:db8::/32"),
    ],
)
def test_odd_entries_that_mail_can_match_are_taken(kind: str, entry: str) -> None:
    """Without a doubt."""
    assert not warnings(f"{kind}\n{entry}\n")


def test_many_doubts_are_counted() -> None:
    """A list that stands twice in its file has twenty lines about it, not a million."""
    told = warnings("ann@example.com\n" * 100)
    assert len(told) == 21
    assert told[-1] == "a.csv: found 79 more doubts of these kinds, expected none"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"ann@example.com\nb\xfcro@example.com\n", "a.csv:2: found bytes that are not UTF-8"),
        (b"ann@example.com\r\rb\xfcro@example.com\r", "a.csv:3: found bytes that are not UTF-8"),
        ("ann@a.de\nb".encode("utf-16")[:-1], "a.csv:2: found bytes that are not UTF-16, expected"),
        ("a@b.de\nb@b.de".encode("utf-16-be"), "a.csv:1: found a NUL character, as in UTF-16 wit"),
        (
            bytes(LONGEST_FILE + 1),
            "a.csv: found more than 100,000,000 bytes, expected several lists",
        ),
        (b"x" * 200_000, "a.csv:1: found a cell of more than 131,072 characters, expected a short"),
        (b'a@b.de\n"' + b"b@b.de\n" * 20_000, "a.csv:2: found a cell of more than 131,072 charac"),
        (
            b"address,note\nann@example.com," + b"x" * 501,
            f'a.csv:2: found "{"x" * 60}..." in column',
        ),
    ],
)
def test_other_files_are_refused(data: bytes, error: str) -> None:
    """With one clear sentence, also for a file of 300 MB."""
    with pytest.raises(DocumentError) as caught:
        read(data)
    assert str(caught.value).startswith(error)


@settings(max_examples=50)
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "ignore"))
)
def test_garbage_never_crashes(data: bytes) -> None:
    """It is a list, or refused with sentences of one line each."""
    problems = ""
    try:
        read(data)
    except DocumentError as error:
        problems = str(error)
    for line in problems.splitlines():
        assert line.startswith("a.csv")
        assert line.isprintable()


names = st.text("abcXYZ .,;\"'\u00fc", min_size=1, max_size=8)


@settings(max_examples=50)
@given(st.lists(st.tuples(names, names), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_columns_come_back_as_they_are_written(rows: list[tuple[str, str]], comma: str) -> None:
    """Any text in any column, as a spreadsheet quotes it; blanks at the ends aside."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=comma)
    writer.writerows(
        [("address", "a", "b"), *((f"n{n}@x.example", *row) for n, row in enumerate(rows))]
    )
    for n, row in enumerate(rows):
        cells = tuple(" ".join(cell.split()) for cell in row)
        assert found(file.getvalue(), Kind.ADDRESS, f"n{n}@x.example") == cells


def test_a_document_names_the_file_of_its_entries() -> None:
    """Kind and heading must agree; the error names the file and its line."""
    files = {"a.csv": b"\naddress,to\nann@example.com,bob\n", "b.csv": b"example.com\n"}

    def beside(name: str) -> ListFile:
        return ListFile(f"lists/{name}", files[name])

    plain = read_list("file: a.csv", document="a.yaml", read=beside)
    assert (plain.about.kind, plain.about.columns) == (ListKind.ADDRESSES, ("to",))
    text = "kind: domains\nsubdomains: true\nfile: b.csv"
    domains = read_list(text, document="b.yaml", read=beside)
    assert (domains.about.kind, domains.about.subdomains) == (ListKind.DOMAINS, True)
    with pytest.raises(DocumentError) as caught:
        read_list("kind: domains\nfile: a.csv", document="a.yaml", read=beside)
    expected = "lists/a.csv:2: found a column of addresses, expected domains, the kind of the list"
    assert str(caught.value).splitlines()[0] == expected


def test_another_way_of_reading_has_another_number() -> None:
    """The publisher reads no list again whose document is the same, unless `READING` changes.

    If this fails, lists are read in another way now: increase `READING`, and write both here.
    """
    texts = (
        "address,successor\nAnn+x@Example.com,Bob\njürgen@bücher.example,\n",
        "domain\nExample.com.\nbücher.example\n",
        "network\n192.0.2.0/24\n2001:db8::/32\n192.0.2.7\n",
        "word\nPrize  offer\nStraße\n",
    )
    forms = b"".join(read(text).form for text in texts)
    assert (READING, sha256(forms).hexdigest()[:16]) == (1, "c3d4062953bf9afd")
