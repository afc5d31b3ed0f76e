"""Lists are pushed before the rules that name them: small ones as parameters, others as objects."""

from hashlib import sha256
from pathlib import Path

import pytest

from bouncer_cli.documents_check import check_documents
from bouncer_cli.list_files import ListFolder
from bouncer_cli.operations.list_parameter import list_parameter
from bouncer_cli.rule_files import FileSource
from bouncer_sim.clock import SystemClock, now
from tests.functions.operations.deployed import PREFIX, Deployed, Operate
from tests.functions.operations.published import BUCKET, Published, failing, in_ssm, refusal

RULE = "when: {recipient: {in: departed}}\nreject: {type: DoesNotExist, message: Gone.}\n"
SMALL = "address,successor\nann@example.com,bob@example.com\neve@example.com,\n"
LARGE = "".join(f"box{number}@example.com\n" for number in range(1000))


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A folder with a list of each size, and rules beside it that name one of them."""
    for name, text in {
        "lists/departed.csv": SMALL,
        "lists/many.txt": LARGE,
        "rules/a.yaml": RULE,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "lists"


def revision() -> str:
    """Return the id of the revision of the files in the working directory."""
    return check_documents(FileSource(Path("rules")).read(), now(SystemClock())).revision.id


def keys(publisher: Published) -> list[str]:
    """Return the keys of the uploaded objects."""
    found = publisher.bucket.list_objects_v2(Bucket=BUCKET, Prefix="uploads/")
    return [each["Key"] for each in found.get("Contents", [])]


@pytest.mark.usefixtures("lists")
def test_rules_bring_the_lists_that_they_name(
    deployed: Deployed, operate: Operate, publisher: Published
) -> None:
    """In one change; a list that no rule names is not pushed."""
    status, out, err = operate("rules", "push", "--yes")
    assert (status, err) == (0, "")
    assert out.splitlines()[1:] == [
        "new:       lists/departed",
        "new:       rules/a",
        "unchanged: 0",
        f"in force:  revision {revision()}",
    ]
    assert in_ssm(deployed) == {
        "rules/a": RULE,
        "lists/departed": "kind: addresses\nentries:\n"
        '  - {"address": "ann@example.com", "successor": "bob@example.com"}\n'
        '  - {"address": "eve@example.com", "successor": ""}\n',
    }
    assert keys(publisher) == []
    status, out, err = operate("rules", "push")
    assert (status, err) == (0, "")
    assert out.splitlines()[1] == "unchanged: 2"


def test_a_large_list_is_uploaded_once(
    deployed: Deployed, operate: Operate, publisher: Published, lists: Path
) -> None:
    """The object has the file byte for byte, and its key the digest; the parameter names it."""
    (lists.parent / "rules/a.yaml").write_text(RULE.replace("departed", "many"))
    status, out, err = operate("rules", "push", "--yes")
    assert (status, err) == (0, "")
    digest = sha256(LARGE.encode()).hexdigest()
    key = f"uploads/many-{digest}.csv"
    assert f"upload:    {key} ({len(LARGE):,} bytes)" in out
    assert keys(publisher) == [key]
    body = publisher.bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert body.decode() == LARGE
    assert in_ssm(deployed)["lists/many"] == (
        f"kind: addresses\nupload:\n  key: {key}\n  sha256: {digest}\n  count: 1000\n"
    )
    assert out.splitlines()[-1] == f"in force:  revision {revision()}"
    before = publisher.bucket.head_object(Bucket=BUCKET, Key=key)["LastModified"]
    assert operate("lists", "push", "--yes")[0] == 0
    assert publisher.bucket.head_object(Bucket=BUCKET, Key=key)["LastModified"] == before


def test_an_object_that_is_gone_is_uploaded_again(
    operate: Operate, publisher: Published, lists: Path
) -> None:
    """Somebody emptied the bucket, while the parameter says what it said."""
    (lists.parent / "rules/a.yaml").write_text(RULE.replace("departed", "many"))
    operate("rules", "push", "--yes")
    (key,) = keys(publisher)
    publisher.bucket.delete_object(Bucket=BUCKET, Key=key)
    status, out, err = operate("rules", "push", "--dry-run")
    assert (status, err, keys(publisher)) == (0, "--dry-run: nothing was changed\n", [])
    status, out, err = operate("rules", "push", "--yes")
    assert (status, err, keys(publisher)) == (0, "", [key])
    assert "unchanged: 2" in out


def test_all_lists_of_a_folder_are_pushed(
    deployed: Deployed, operate: Operate, publisher: Published, lists: Path
) -> None:
    """Rules stay as they are; a list without a file goes with `--prune` alone."""
    deployed.put("rules/a", RULE)
    deployed.put("lists/old", "entries: [x@example.com]")
    status, out, err = operate("lists", "push", str(lists), "--yes")
    assert (status, err) == (0, "")
    assert "stays:     lists/old has no file here; --prune removes it" in out
    assert len(keys(publisher)) == 1
    assert operate("lists", "push", str(lists), "--prune", "--yes")[0] == 0
    assert set(in_ssm(deployed)) == {"lists/departed", "lists/many", "rules/a"}


def test_a_list_that_a_rule_names_is_not_removed(
    deployed: Deployed, operate: Operate, publisher: Published, lists: Path
) -> None:
    """Its conditions would be unknown; rules in mode off, and of another name, don't count."""
    assert publisher
    deployed.put("rules/a", RULE)
    deployed.put("rules/b", RULE.replace("departed", "old").replace("when:", "mode: off\nwhen:"))
    deployed.put("lists/departed", "entries: [x@example.com]")
    deployed.put("lists/old", "entries: [x@example.com]")
    (lists / "departed.csv").unlink()
    status, out, err = operate("lists", "push", "--prune", "--yes")
    assert (status, err) == (2, "1 document refused: nothing was changed\n")
    assert out.splitlines()[1] == (
        "problem: lists/departed: found in rule a, expected no rule that names it: push rules "
        "without it first"
    )
    deployed.put("rules/a", "drop: {}")
    assert operate("lists", "push", "--prune", "--yes")[0] == 0
    assert set(in_ssm(deployed)) == {"lists/many", "rules/a", "rules/b"}


def test_what_is_wrong_with_a_list_is_said_by_line(
    deployed: Deployed, operate: Operate, publisher: Published, lists: Path
) -> None:
    """By both commands; nothing is written or uploaded."""
    (lists / "departed.csv").write_text("ann@example.com\nnobody\n")
    for command in ("rules", "lists"):
        status, out, err = operate(command, "push", "--yes")
        assert (status, err) == (2, "1 document refused: nothing was changed\n")
        assert 'departed.csv:2: found "nobody", expected an address' in out
    assert (in_ssm(deployed), keys(publisher)) == ({}, [])


@pytest.mark.usefixtures("publisher")
def test_something_else_than_a_folder_of_lists_is_refused(operate: Operate, lists: Path) -> None:
    """Each in a sentence of its own."""
    (lists.parent / "empty").mkdir()
    for folder, says in {
        "none": "DIR: found no folder none, expected one with lists",
        "lists/departed.csv": "DIR: found a file, expected the folder of lists: lists",
        "empty": "empty: found no list, expected at least one",
    }.items():
        assert operate("lists", "push", folder, "--yes") == (2, "", f"{says}\n")


@pytest.mark.usefixtures("lists")
def test_an_upload_that_is_refused_is_one_sentence(
    deployed: Deployed, operate: Operate, publisher: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing names an object before it is there, so nothing was changed."""
    assert publisher
    failing(monkeypatch, "PutObject", refusal("AccessDenied"))
    status, _, err = operate("lists", "push", "--yes")
    assert status == 1
    assert err == (
        "s3:PutObject was answered with AccessDenied: allow s3:PutObject to these credentials in "
        "IAM\nnothing was changed\n"
    )
    assert in_ssm(deployed) == {}


@pytest.mark.usefixtures("lists", "publisher")
def test_without_the_permission_to_look_objects_are_written(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 answers 403 for an object that is missing, and for one that may not be read."""
    failing(monkeypatch, "HeadObject", refusal("403"))
    assert operate("lists", "push", "--yes")[0] == 0


@pytest.mark.parametrize(
    "text",
    [
        SMALL,
        'domain;why\nexample.com;spam: "it\'s"\nb\u00fccher.example;#\n',
        "network\n192.0.2.0/24\n2001:db8::/32\n",
        "word,x\n{{ win }},1\nyes,no\n",
        "address,a,b\nann@example.com,,\n",
        "'ann'@example.com\nnull@example.com\n",
        "word\nyes\n1\nnull\n",
    ],
)
def test_a_list_is_the_same_list_in_its_parameter(tmp_path: Path, text: str) -> None:
    """A file whose cells YAML would read as something else is uploaded as it is."""
    from bouncer.rules.list_reader import read_list  # noqa: PLC0415  # beside its only use

    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    found = list_parameter("x", path)
    read = read_list(found.text, document="x", fetch=lambda _: found.data)
    written = ListFolder(tmp_path)["x"].read()
    assert (read.form, read.about) == (written.form, written.about)
    assert "{{" not in found.text


def test_a_document_keeps_what_it_says(tmp_path: Path) -> None:
    """One with entries is pushed as it is written; one with a file keeps its other lines."""
    text = "# ours\ndescription: 'People: left'\nentries: [ann@example.com]\n"
    (tmp_path / "a.yaml").write_text(text)
    assert list_parameter("a", tmp_path / "a.yaml").text == text
    document = "description: 'Bad: all'\nkind: domains\nsubdomains: true\nfile: b.csv\n"
    (tmp_path / "b.yaml").write_text(document)
    (tmp_path / "b.csv").write_text("example.com\n")
    assert list_parameter("b", tmp_path / "b.yaml").text == (
        'description: "Bad: all"\nkind: "domains"\nsubdomains: true\nentries:\n  - "example.com"\n'
    )


@pytest.mark.usefixtures("publisher")
def test_a_list_that_only_ssm_has_counts(deployed: Deployed, operate: Operate, lists: Path) -> None:
    """The revision is foretold with it; it is not the folder's to change."""
    deployed.put("lists/departed", "entries: [x@example.com]")
    (lists / "departed.csv").unlink()
    status, out, err = operate("rules", "push", "--yes")
    assert (status, err) == (0, "")
    assert "warning" not in out
    assert set(in_ssm(deployed)) == {"lists/departed", "rules/a"}
    assert f"{PREFIX}/lists/departed" not in out
