"""Lists that rules name: the publisher makes their look-up forms, and the intake loads these."""

import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from bouncer.mail.message import read_event
from bouncer.publishing import list_choice
from bouncer.publishing.occasion import Scope
from bouncer.publishing.revision_store import RevisionStore, StoreError
from bouncer.rules.entry_file import LONGEST_FILE
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.loaded import Loaded
from bouncer.sources.pointer import POINTER_KEY
from bouncer.sources.revision import list_key, revision_key
from bouncer.sources.revision_loader import PointerLoader, RevisionLoader
from bouncer.sources.source import SourceError
from bouncer.sources.uploads import Uploads
from bouncer_cli.documents_check import check_documents
from bouncer_cli.rule_files import FileSource
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.mail_event import mail_event
from bouncer_sim.world.s3_service import S3Service
from bouncer_sim.world.service_error import service_error
from tests.functions.publisher.published_world import NOW, PublishedWorld

ANN, BOB = "ann@example.com", "bob@example.com"
UPLOAD = "uploads/departed.csv"
PROBLEM = "/p/lists/departed"
STAYS = f"{PROBLEM}: the list stays in force as it was before"
LEFT_OUT = (
    f"{PROBLEM}: this list is left out until the document is corrected, and conditions that ask it "
    "are unknown"
)


class Noting(DirectClient):
    """A client of S3; `asked` has its calls in order, and those of the keys in `fails` fail."""

    def __init__(self, bucket: S3Service) -> None:
        super().__init__(bucket)
        self.asked: list[tuple[str, str]] = []
        self.fails: dict[str, Exception] = {}

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        act = super().__getattr__(operation)

        def call(**arguments: Any) -> dict[str, Any]:
            self.asked.append((operation, arguments["Key"]))
            if error := self.fails.get(arguments["Key"]):
                raise error
            return act(**arguments)

        return call


class Listed(PublishedWorld):
    """A world with a rule that asks a list, and a mail for whoever is on it."""

    def __init__(self) -> None:
        super().__init__()
        self.s3 = Noting(self.bucket)
        self.ticks = 0.0
        self.put("rules/100-departed", "when: {recipient: {in: departed}}\ndrop: {}")

    def upload(self, data: bytes, *, key: str = UPLOAD, **members: object) -> None:
        """Upload an object, and write the parameter that names it, with some other members."""
        self.bucket.objects[key] = data
        named = {"key": key, "sha256": sha256(data).hexdigest(), "count": 1, **members}
        inner = ", ".join(f"{name}: {value}" for name, value in named.items())
        self.put("lists/departed", f"upload: {{{inner}}}")

    def problems(self) -> tuple[str, ...]:
        """Publish in a new environment, and return the problems of the list."""
        self.s3.asked.clear()
        published = self.publisher(bucket=self.s3).publish(Scope.EVERYTHING)
        assert published == self.pointer()
        return tuple(published.problems.get("lists/departed", ()))

    def read(self) -> list[str]:
        """Return the uploads that the last publisher has read."""
        return [key for operation, key in self.s3.asked if "uploads/" in key]

    def intake(self) -> RevisionLoader:
        """Return the loader of a new environment of the intake."""
        return RevisionLoader(BucketSource(self.s3, "rules"), now=lambda: self.ticks)

    def departed(self) -> list[str]:
        """Return those of two people whose mail a new intake stops."""
        loaded = self.intake().load()
        return [name for name in (ANN, BOB) if decided(loaded, name)]

    def form(self) -> str:
        """Return the key of the list's look-up form in force."""
        return list_key(self.revision().lists["departed"].digest)


def decided(loaded: Loaded, recipient: str) -> str | None:
    event = mail_event("m", sender="eve@x.example", recipients=[recipient], received_at=1.8e9)
    (mail,) = read_event(event)
    (decision,) = loaded.ruleset.decisions(mail)
    if decision.unknown:
        return None
    return decision.rule.name if decision.rule else ""


@pytest.fixture
def world() -> Listed:
    return Listed()


def test_a_list_in_a_parameter_decides(world: Listed) -> None:
    """The revision has its description, and its form stands in the bucket before the pointer."""
    world.put("lists/departed", f"entries: [{{address: {ANN}, successor: eve}}]")
    assert world.problems() == ()
    assert world.departed() == [ANN]
    found = world.revision().lists["departed"]
    assert (found.about.kind, found.about.columns, found.about.entries) == (
        "addresses",
        ("successor",),
        1,
    )
    assert found.size == len(world.bucket.objects[world.form()])
    assert world.bucket.written == [world.form(), revision_key(world.revision().id), POINTER_KEY]


def test_a_list_in_an_upload_decides(world: Listed) -> None:
    """Exports of spreadsheets are read: a byte order mark, quotes, empty lines."""
    world.upload(f'\ufeff"address"\r\n\r\n"{ANN}"\r\n'.encode())
    assert world.problems() == ()
    assert world.departed() == [ANN]


def test_parameter_upload_and_file_are_one_revision(world: Listed, tmp_path: Path) -> None:
    """The same rules and entries have the same id on any machine, in whatever form."""
    world.put("lists/departed", f"entries: [{BOB}, {ANN}]")
    world.problems()
    by_parameter = world.revision().id
    world.upload(f"{ANN}\n{BOB}\n".encode(), count=2)
    world.problems()
    for folder, name, text in (
        ("rules", "100-departed.yaml", "when: {recipient: {in: departed}}\ndrop: {}"),
        ("lists", "departed.txt", f"{ANN}\n{BOB}"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    by_file = check_documents(FileSource(tmp_path / "rules").read(), NOW)
    assert {by_parameter, world.revision().id, by_file.revision.id} == {by_parameter}


def test_a_changed_list_is_a_changed_revision(world: Listed) -> None:
    """And the next mail is judged by it."""
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()
    loader = world.intake()
    assert decided(loader.load(), BOB) == ""
    world.put("lists/departed", f"entries: [{BOB}]")
    world.problems()
    world.ticks += 60
    assert decided(loader.load(), BOB) == "100-departed"


def test_only_lists_that_rules_name_are_read(world: Listed) -> None:
    """Others may be wrong; a rule in mode off asks nothing."""
    world.put("rules/200-off", "mode: 'off'\nwhen: {recipient: {in: idle}}\ndrop: {}")
    world.put("lists/departed", f"entries: [{ANN}]")
    for name in ("idle", "odd"):
        world.put(f"lists/{name}", "entries: [")
    assert world.publish().problems == {}
    assert list(world.revision().lists) == ["departed"]


def test_an_unchanged_upload_is_read_once(world: Listed) -> None:
    """A new environment learns from pointer and revision what the form was made of."""
    world.upload(ANN.encode())
    world.problems()
    assert world.read() == [UPLOAD]
    world.put("rules/200-more", "when: {recipient: eve@example.com}\ndrop: {}")
    for _ in range(2):
        assert world.problems() == ()
        assert world.read() == []
    del world.bucket.objects[UPLOAD]  # whoever tidies up changes nothing that is in force
    assert world.problems() == ()
    assert world.departed() == [ANN]


def test_a_form_that_is_gone_is_made_again(world: Listed) -> None:
    """The publisher looks whether it is there each time that it reads everything."""
    world.upload(ANN.encode())
    world.problems()
    form = world.bucket.objects.pop(world.form())
    assert world.departed() == []
    assert world.problems() == ()
    assert world.bucket.objects[world.form()] == form
    assert world.departed() == [ANN]


def missing_upload(world: Listed) -> None:
    world.upload(BOB.encode())
    del world.bucket.objects[UPLOAD]


def changed_upload(world: Listed) -> None:
    world.upload(BOB.encode())
    world.bucket.objects[UPLOAD] = b"x"


BAD: dict[str, tuple[Callable[[Listed], None], str]] = {
    "missing": (
        missing_upload,
        "upload.key: found no object there that may be read (NoSuchKey), expected an object",
    ),
    "changed": (
        changed_upload,
        "upload.sha256: found ",
    ),
    "outside": (
        lambda world: world.upload(b"x", key="revisions/secret.json"),
        'upload.key: found "revisions/secret.json", expected uploads/ and a name',
    ),
    "climbing": (
        lambda world: world.upload(b"x", key="uploads/../current-v1"),
        'upload.key: found "uploads/../current-v1", expected uploads/ and a name',
    ),
    "checksum": (
        lambda world: world.upload(BOB.encode(), sha256="0" * 64),
        f'upload.sha256: found "{"0" * 60}...", expected the digest of {UPLOAD}: run bouncer',
    ),
    "count": (
        lambda world: world.upload(BOB.encode(), count=2),
        f"upload.count: found 2, expected 1, the entries of {UPLOAD}: run bouncer lists push",
    ),
    "no checksum": (
        lambda world: world.put("lists/departed", f"upload: {{key: {UPLOAD}, count: 1}}"),
        "upload.sha256: found nothing, expected 64 digits 0-9 and a-f",
    ),
    "large": (
        lambda world: world.upload(b"x" * (LONGEST_FILE + 1)),
        "found more than 100,000,000 bytes, expected several lists",
    ),
    "garbage": (
        lambda world: world.upload(b"address\nnobody\n"),
        f'{UPLOAD}:2: found "nobody", expected an address such as ann@example.com',
    ),
    "quotes": (lambda world: world.upload(b'"a"b\n'), "a row that is not CSV"),
    "UTF-16": (lambda world: world.upload(ANN.encode("utf-16-le")), "found a NUL character, as in"),
    "empty": (lambda world: world.upload(b"\n\n"), "found no entry, expected at least one"),
    "file": (
        lambda world: world.put("lists/departed", "file: departed.csv"),
        "file: found a file, expected entries, or upload: a parameter has no files beside it",
    ),
    "text": (lambda world: world.put("lists/departed", ANN), "expected a mapping with entries"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_refused_list_keeps_its_form(world: Listed, case: str) -> None:
    """The problem is reported by each run, and mail is judged by the list before."""
    spoil, says = BAD[case]
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()
    spoil(world)
    for _ in range(2):
        first, *_, last = world.problems()
        assert says in first
        assert last == STAYS
    assert world.departed() == [ANN]
    assert len(world.lines("documents_invalid")) == 2
    world.put("lists/departed", f"entries: [{BOB}]")
    assert world.problems() == ()
    assert world.departed() == [BOB]


@pytest.mark.threat
@pytest.mark.parametrize(
    "key", ["current-v1", "revisions/a.json", "uploads/../current-v1", "uploads/", "/uploads/a"]
)
def test_nothing_outside_uploads_can_be_named(world: Listed, key: str) -> None:
    """The object is not even asked for, whatever checksum the parameter has."""
    world.upload(ANN.encode(), key=key)
    first, *_ = world.problems()
    assert f'upload.key: found "{key}", expected uploads/ and a name' in first
    assert ("get_object", key) not in world.s3.asked[1:]


@pytest.mark.threat
def test_an_upload_that_was_replaced_is_refused(world: Listed) -> None:
    """Somebody who may write uploads, and no parameters, changes nothing that is in force."""
    world.upload(ANN.encode())
    world.problems()
    world.bucket.objects[UPLOAD] = BOB.encode()
    del world.bucket.objects[world.form()]  # so that the upload is read again
    assert "upload.sha256: found" in world.problems()[0]
    assert world.departed() == []


def test_a_first_list_that_is_refused_is_left_out(world: Listed) -> None:
    """Its conditions are unknown, so no mail is stopped by them."""
    world.put("lists/departed", "entries: [nobody]")
    assert world.problems()[-1] == LEFT_OUT
    assert world.departed() == []
    (warning,) = world.lines("documents_doubtful")[0]["warnings"]
    assert warning == (
        "/p/rules/100-departed: recipient.in: found no list departed, expected one: without it "
        "this condition is unknown"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "found no list departed, expected one: without it this condition is unknown"),
        ("kind: words\nentries: [spam]", "found list departed of words, expected a list of"),
        (f"entries: [{ANN}]", "found list departed without successor, expected the column"),
    ],
)
def test_a_list_that_does_not_fit_is_a_warning(world: Listed, text: str | None, says: str) -> None:
    """A missing one, a wrong kind, a missing column: nothing is refused, the condition unknown."""
    rule = "when: {recipient: {in: departed}}\nreject: {type: DoesNotExist, message: "
    world.put("rules/100-departed", f'{rule}"{{departed.successor}}"}}')
    if text:
        world.put("lists/departed", text)
    assert world.problems() == ()
    (line,) = world.lines("documents_doubtful")
    assert [says in warning for warning in line["warnings"]] == [True]
    assert world.departed() == []


def test_a_deleted_list_is_missing(world: Listed) -> None:
    """Deleting a parameter ends its list, as with rules."""
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()
    world.delete("lists/departed")
    assert world.problems() == ()
    assert world.revision().lists == {}


def test_lists_are_bounded_together(world: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than an intake can hold is refused here, in the order of names."""
    world.put("rules/200-late", "when: {recipient: {in: late}}\ndrop: {}")
    world.put("lists/departed", f"entries: [{ANN}]")
    world.put("lists/late", f"entries: [{BOB}]")
    world.problems()
    size = world.revision().lists["departed"].size
    monkeypatch.setattr(list_choice, "MOST_BYTES", 2 * size - 1)
    world.put("lists/late", f"entries: [{BOB}, {ANN}]")
    pointer = world.publish()
    (first, last) = pointer.problems["lists/late"]
    assert "bytes in look-up form, expected at most" in first
    assert last.endswith("conditions that ask it are unknown")
    assert list(world.revision().lists) == ["departed"]


OUTAGES = [
    service_error("SlowDown", status=503),
    ReadTimeoutError(endpoint_url="https://rules.s3.eu-west-1.amazonaws.com"),
]


@pytest.mark.parametrize("error", OUTAGES, ids=["throttled", "silent"])
def test_an_upload_that_cannot_be_read_now_changes_nothing(world: Listed, error: Exception) -> None:
    """Nothing is published: the run fails, its alarm says so, and the next one tries again."""
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()
    before = world.pointer()
    world.upload(BOB.encode())
    world.s3.fails = {UPLOAD: error}
    with pytest.raises(SourceError, match=f"s3://rules/{UPLOAD}: can't be read"):
        world.problems()
    assert world.pointer() == before
    assert len(world.lines("publishing_failed")) == 1
    world.s3.fails = {}
    assert world.problems() == ()
    assert world.departed() == [BOB]


def test_an_upload_that_may_not_be_read_is_a_problem(world: Listed) -> None:
    """One that is encrypted with another key does not stop other documents."""
    world.upload(ANN.encode())
    world.s3.fails = {UPLOAD: service_error("AccessDenied", status=403)}
    first, last = world.problems()
    assert "found no object there that may be read (AccessDenied)" in first
    assert last == LEFT_OUT


def test_a_form_that_cannot_be_written_is_not_named(world: Listed) -> None:
    """The pointer stays on the revision before."""
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()
    form, before = world.form(), world.pointer()
    del world.bucket.objects[form]
    world.s3.fails = {form: service_error("AccessDenied", status=403)}
    with pytest.raises(StoreError, match="lists/"):
        world.problems()
    assert world.pointer() == before


def test_a_list_is_loaded_once(world: Listed) -> None:
    """A new revision with the same list costs the pointer and the revision."""
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()
    loader = world.intake()
    world.s3.asked.clear()
    loader.load()
    assert [key for _, key in world.s3.asked] == [
        POINTER_KEY,
        revision_key(world.pointer().revision),
        world.form(),
    ]
    world.put("rules/200-more", "when: {recipient: eve@example.com}\ndrop: {}")
    world.problems()
    world.ticks += 60
    world.s3.asked.clear()
    assert decided(loader.load(), ANN) == "100-departed"
    assert world.form() not in [key for _, key in world.s3.asked]


@pytest.mark.parametrize("broken", ["missing", "changed", "throttled"])
def test_a_list_that_cannot_be_loaded_is_unknown(world: Listed, broken: str) -> None:
    """The other rules decide; it is reported, and asked for again after 15 seconds."""
    world.put("rules/050-bob", f"when: {{recipient: {BOB}}}\ndrop: {{}}")
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()
    form, whole = world.form(), world.bucket.objects[world.form()]
    if broken == "missing":
        del world.bucket.objects[form]
    elif broken == "throttled":
        world.s3.fails = {form: OUTAGES[0]}
    else:
        world.bucket.objects[form] = whole + b" "
    loader = world.intake()
    loaded = loader.load()
    assert (decided(loaded, ANN), decided(loaded, BOB)) == (None, "050-bob")
    assert loaded.stale
    (problem,) = loaded.problems
    assert problem.startswith(f"list departed: s3://rules/{form}: ")
    assert problem.endswith("; conditions that ask it are unknown")
    world.bucket.objects[form], world.s3.fails = whole, {}
    world.ticks += 14
    assert decided(loader.load(), ANN) is None
    world.ticks += 1
    mended = loader.load()
    assert (decided(mended, ANN), mended.stale) == ("100-departed", False)


def test_a_missing_list_costs_no_new_revision(world: Listed) -> None:
    """While one is missing, pointer and list are asked for, and nothing is compiled again."""
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()
    del world.bucket.objects[world.form()]
    loader = world.intake()
    first = loader.load()
    world.ticks += 15
    world.s3.asked.clear()
    assert loader.load().ruleset is first.ruleset
    assert [key for _, key in world.s3.asked] == [POINTER_KEY, world.form()]


def test_the_worker_loads_no_list(world: Listed) -> None:
    """It needs none, and may read none."""
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()
    world.s3.asked.clear()
    PointerLoader(BucketSource(world.s3, "rules"), now=lambda: 0.0).load()
    assert [key for _, key in world.s3.asked] == [POINTER_KEY]


def test_an_intake_without_lists_imports_nothing_for_them() -> None:
    """A cold start is paid for by each mail that waits for it."""
    script = "import bouncer.intake, sys; print(*sys.modules)"
    found = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    listing = {f"bouncer.rules.{name}" for name in ("list_about", "list_kind", "list_keys")}
    listing |= {"bouncer.rules.named_list", "bouncer.rules.entry_table"}
    assert not listing & set(found)


class Broken:
    """A body whose connection breaks while it is read."""

    def read(self, *_: int) -> bytes:
        raise ReadTimeoutError(endpoint_url="https://rules.s3.eu-west-1.amazonaws.com")


def test_a_body_that_breaks_off_is_an_object_that_cannot_be_read(world: Listed) -> None:
    """For whoever reads: the functions, the publisher, and the one who fetches an upload."""
    world.put("lists/departed", f"entries: [{ANN}]")
    world.problems()

    class Breaking:
        def get_object(self, **_: object) -> dict[str, object]:
            return {"Body": Broken(), "ETag": '"0"'}

        head_object = put_object = get_object

    with pytest.raises(SourceError, match="can't be read"):
        BucketSource(Breaking(), "rules").list_form("0" * 64)
    with pytest.raises(StoreError, match="can't be read"):
        RevisionStore(Breaking(), "rules").read()
    with pytest.raises(SourceError, match="can't be read"):
        Uploads(Breaking(), "rules").fetch(UPLOAD)
