"""`bouncer rules push`: the difference is shown, asked for, written, and in force at its end."""

from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ReadTimeoutError

from bouncer.environment import BUCKET_KEY, DEFAULTS_KEY, PREFIX_KEY
from bouncer.publishing.pushing import LONGEST, Pushing, pushing_document
from bouncer_cli.doctor.account import UnavailableError
from bouncer_cli.documents_check import check_documents
from bouncer_cli.rule_files import FileSource
from bouncer_sim.clock import SystemClock, now
from tests.functions.operations.deployed import PREFIX, Deployed, Operate
from tests.functions.operations.published import BUCKET, Published, failing, in_ssm, refusal

A = "when: {subject: sale}\ndrop: {}\n"
OTHER = {"revision": "f" * 64, "problems": {}}
B = "when: {subject: old}\naccept: {}\n"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with two rules; `deployed` has made its parent the working directory."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.yaml").write_text(A)
    (folder / "b.yaml").write_text(B)
    return folder


def revision(folder: Path) -> str:
    """Return the id of the revision of a folder's rules."""
    return check_documents(FileSource(folder).read(), now(SystemClock())).revision.id


@pytest.mark.usefixtures("publisher")
def test_the_first_push(deployed: Deployed, operate: Operate, rules: Path) -> None:
    """Every rule is new; the revision in force is the one that the files have on any machine."""
    status, out, err = operate("rules", "push", "--yes")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "ses-auto-bouncer-main in eu-west-1, parameters below /ses-auto-bouncer/main",
        "new:       rules/a",
        "new:       rules/b",
        "unchanged: 0",
        f"in force:  revision {revision(rules)}",
    ]
    assert in_ssm(deployed) == {"rules/a": A, "rules/b": B}


@pytest.mark.usefixtures("publisher")
def test_a_change_is_shown_as_a_difference(
    deployed: Deployed, operate: Operate, rules: Path
) -> None:
    """With its lines; what has no file is named, and goes with `--prune` alone."""
    operate("rules", "push", "--yes")
    (rules / "a.yaml").write_text(A.replace("sale", "fair"))
    deployed.put("rules/old", B)
    deployed.put("settings", "mode: shadow")
    _, out, _ = operate("rules", "push", "--yes")
    assert out.splitlines()[1:-1] == [
        "changed:   rules/a",
        "    @@ -1,2 +1,2 @@",
        "    -when: {subject: sale}",
        "    +when: {subject: fair}",
        "     drop: {}",
        "stays:     rules/old has no file here; --prune removes it",
        "unchanged: 1",
    ]
    status, out, err = operate("rules", "push", "--prune", "--yes")
    assert (status, err) == (0, "")
    assert out.splitlines()[1:] == [
        "removed:   rules/old",
        "    @@ -1,2 +0,0 @@",
        "    -when: {subject: old}",
        "    -accept: {}",
        "unchanged: 2",
        f"in force:  revision {revision(rules)}",
    ]
    assert set(in_ssm(deployed)) == {"rules/a", "rules/b", "settings"}


def test_a_second_push_writes_nothing(
    deployed: Deployed, operate: Operate, rules: Path, publisher: Published
) -> None:
    """It asks nothing, has everything published, and says what is in force."""
    operate("rules", "push", "--yes")
    status, out, err = operate("rules", "push")
    assert (status, err) == (0, "")
    assert out.splitlines()[1:] == ["unchanged: 2", f"in force:  revision {revision(rules)}"]
    assert publisher.invocations == 2
    (found,) = deployed.ssm.get_parameters(Names=[f"{PREFIX}/rules/a"])["Parameters"]
    assert found["Version"] == 1


@pytest.mark.usefixtures("rules")
def test_a_dry_run_changes_nothing(
    deployed: Deployed, operate: Operate, publisher: Published
) -> None:
    """Not even the publisher is invoked; without a terminal somebody has to consent."""
    status, out, err = operate("rules", "push", "--dry-run")
    assert (status, err) == (0, "--dry-run: nothing was changed\n")
    assert "new:       rules/a" in out
    status, _, err = operate("rules", "push")
    assert (status, err[:35]) == (2, "found no terminal to ask at, expect")
    assert (in_ssm(deployed), publisher.invocations) == ({}, 0)


@pytest.mark.usefixtures("publisher")
def test_type_description_and_tags_stay(deployed: Deployed, operate: Operate, rules: Path) -> None:
    """They are the operator's; the console shows them."""
    name = f"{PREFIX}/rules/a"
    deployed.ssm.put_parameter(
        Name=name,
        Value="accept: {}",
        Type="StringList",
        Description="ours",
        Tags=[{"Key": "team", "Value": "mail"}],
    )
    assert operate("rules", "push", str(rules), "--yes")[0] == 0
    (found,) = deployed.ssm.describe_parameters(
        ParameterFilters=[{"Key": "Name", "Values": [name]}]
    )["Parameters"]
    assert (found["Type"], found["Description"], found["Version"]) == ("StringList", "ours", 2)
    tags = deployed.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
    assert tags["TagList"] == [{"Key": "team", "Value": "mail"}]


@pytest.mark.usefixtures("publisher")
def test_a_rule_of_more_than_4_kb_costs_something(
    deployed: Deployed, operate: Operate, rules: Path
) -> None:
    """The push says so before it asks; one of more than 8 KB is refused."""
    (rules / "large.yaml").write_text(f"description: {'long ' * 1000}\n{B}")
    status, out, _ = operate("rules", "push", "--yes")
    assert status == 0
    shown = "new:       rules/large (5,046 bytes: an advanced parameter, which costs 0.05 USD a"
    assert shown in out
    (found,) = deployed.ssm.describe_parameters(
        ParameterFilters=[{"Key": "Name", "Values": [f"{PREFIX}/rules/large"]}]
    )["Parameters"]
    assert found["Tier"] == "Intelligent-Tiering"  # moto keeps the word; SSM makes it Advanced
    (rules / "large.yaml").write_text(f"description: {'long ' * 2000}\n{B}")
    status, out, err = operate("rules", "push", "--yes")
    assert (status, err) == (2, "1 document refused: nothing was changed\n")
    assert out.startswith("problem: rules/large.yaml: found 10046 bytes, expected at most 8192")


@pytest.mark.usefixtures("publisher")
@pytest.mark.parametrize(
    ("file", "says"),
    [
        (("c.yaml", "moon: 1"), "problem: rules/c.yaml:1: moon: found unknown key"),
        (("c d.yaml", "drop: {}"), "problem: rules/c d.yaml:1: found the rule name"),
        (("ü.yaml", "drop: {}"), "problem: rules/ü.yaml:1: found the rule name"),
        (("c.yaml", "description: '{{ x }}'\n" + A), "rules/c.yaml: found {{ x }}, expected no"),
        (("B.yaml", B), "rules/B.yaml: found rules/b.yaml beside it, expected names that differ"),
        (("Old.yaml", B), "found /ses-auto-bouncer/main/rules/old beside it, expected names that"),
        (("s.yaml", B), "rules/s: found a SecureString, expected a String (no function decrypts)"),
    ],
)
def test_what_the_publisher_or_ssm_would_refuse_is_not_pushed(
    deployed: Deployed, operate: Operate, rules: Path, file: tuple[str, str], says: str
) -> None:
    """Each is one sentence, and nothing is written."""
    deployed.put("rules/old", B)
    deployed.ssm.put_parameter(Name=f"{PREFIX}/rules/s", Value="x", Type="SecureString")
    before = in_ssm(deployed)
    (rules / file[0]).write_text(file[1])
    status, out, err = operate("rules", "push", "--yes")
    assert (status, says in out) == (2, True), out
    assert err.endswith("refused: nothing was changed\n")
    assert in_ssm(deployed) == before


@pytest.mark.usefixtures("publisher")
def test_files_that_cannot_be_read_are_refused(operate: Operate, rules: Path) -> None:
    """Bytes that are not UTF-8, no folder, and a folder that would remove every rule."""
    (rules / "c.yaml").write_bytes(b"description: \xff")
    status, _, err = operate("rules", "push", "--yes")
    assert (status, err) == (2, "rules/c.yaml: found bytes that are not UTF-8, expected text\n")
    status, _, err = operate("rules", "push", "ruels", "--yes")
    assert (status, err.startswith("DIR: found no folder ruels, expected one with rules")) == (
        2,
        True,
    )
    status, _, err = operate("rules", "push", "--lists", "nolists", "--yes")
    assert (status, err) == (2, "--lists: found no folder nolists, expected one with lists\n")
    (rules.parent / "empty").mkdir()
    status, _, err = operate("rules", "push", "empty", "--prune", "--yes")
    assert (status, err.startswith("empty: found no rule, expected at least one")) == (2, True)


@pytest.mark.usefixtures("publisher")
def test_a_problem_of_another_document_is_shown(
    deployed: Deployed, operate: Operate, rules: Path
) -> None:
    """The push goes on; the exit status says that not all is well."""
    assert rules
    operate("rules", "push", "--yes")
    deployed.put("settings", "mode: moon")
    deployed.put("rules/other", "moon: 1")
    status, out, err = operate("rules", "push", "--yes")
    assert (status, err.splitlines()) == (
        1,
        [
            f"rules/other is refused (not by this push): correct {PREFIX}/rules/other",
            f"the settings are refused (not by this push): correct {PREFIX}/settings",
        ],
    )
    assert out.count(f"problem: {PREFIX}/settings:1: mode: found") == 1
    assert out.count(f"problem: {PREFIX}/rules/other:1: moon: found") == 1
    assert in_ssm(deployed)["rules/a"] == A


@pytest.mark.usefixtures("publisher", "rules")
def test_ctrl_c_says_what_was_done_and_the_next_push_completes_it(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules in force stay as they are meanwhile."""
    with monkeypatch.context() as patched:
        call = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001  # where the SDK meets the network

        def interrupted(client: Any, name: str, given: Any) -> Any:
            if name == "PutParameter" and given["Name"].endswith("/b"):
                raise KeyboardInterrupt
            return call(client, name, given)

        patched.setattr(BaseClient, "_make_api_call", interrupted)
        status, _, err = operate("rules", "push", "--yes")
    assert (status, err.splitlines()) == (
        130,
        [
            "1 of 2 changes are written, and none of them is in force",
            "push again to complete them; until then the rules stay as they are, for 30 minutes",
        ],
    )
    assert set(in_ssm(deployed)) == {"rules/a", "pushing"}
    status, out, err = operate("rules", "push", "--yes")
    assert (status, err) == (0, "")
    assert out.splitlines()[1].startswith("goes on:   with the push by arn:aws:sts::")
    assert set(in_ssm(deployed)) == {"rules/a", "rules/b"}


@pytest.mark.parametrize(
    ("operation", "error", "says"),
    [
        ("GetParametersByPath", refusal("AccessDeniedException"), "allow ssm:GetParametersByP"),
        ("PutParameter", refusal("AccessDeniedException"), "allow ssm:PutParameter to these"),
        ("GetParameters", refusal("AccessDeniedException"), "allow ssm:GetParameters to these"),
        ("DeleteParameters", refusal("AccessDeniedException"), "allow ssm:DeleteParameters to"),
        ("GetParametersByPath", ReadTimeoutError(endpoint_url="x"), "ssm can't be reached"),
        ("PutParameter", refusal("ExpiredTokenException"), "log in again, or set AWS_PROFILE"),
        ("PutParameter", refusal("ParameterLimitExceeded"), "answered with ParameterLimitExce"),
    ],
)
@pytest.mark.usefixtures("publisher", "rules")
def test_a_refusal_of_aws_is_one_sentence(
    operate: Operate,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    error: Exception,
    says: str,
) -> None:
    """With the next step, and with what was done until then."""
    failing(monkeypatch, operation, error)
    status, _, err = operate("rules", "push", "--yes")
    assert (status, says in err) == (1, True), err
    done = {
        "DeleteParameters": "2 of 2 changes are written",
        "GetParameters": f"no rule or list was changed, but {PREFIX}/pushing is still there: push "
        f"again, or run aws ssm delete-parameter --name {PREFIX}/pushing",
    }
    said = done.get(operation, "nothing was changed")
    assert (said in err) == (operation != "GetParametersByPath")


@pytest.mark.usefixtures("publisher", "rules")
def test_without_a_name_a_push_is_taken_over_by_its_rules_alone(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STS may be out of reach: then nobody knows whose push it is."""
    failing(monkeypatch, "GetCallerIdentity", refusal("AccessDenied"))
    assert operate("rules", "push", "--yes")[0] == 0


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        ({"FunctionError": "Unhandled"}, "the publisher failed: run this command again"),
        (UnavailableError("it can't be invoked", next_step="x"), "it can't be invoked: x"),
    ],
)
@pytest.mark.usefixtures("rules")
def test_a_publisher_that_fails_is_said(
    deployed: Deployed, operate: Operate, publisher: Published, failure: Any, says: str
) -> None:
    """All documents are written, and in force when it runs by itself."""
    publisher.failure = failure
    status, _, err = operate("rules", "push", "--yes")
    assert (status, says in err) == (1, True), err
    assert "the documents are written; they are in force as soon as" in err
    assert set(in_ssm(deployed)) == {"rules/a", "rules/b"}


@pytest.mark.usefixtures("rules")
def test_another_revision_in_force_is_said(
    operate: Operate, publisher: Published, rules: Path
) -> None:
    """Somebody else changed a rule between the push and its publication."""
    publisher.answers = [OTHER] * 9
    status, _, err = operate("rules", "push", "--yes")
    expected = f"expected revision {revision(rules)}: somebody else changes rules; push again\n"
    assert (status, err) == (1, expected)


@pytest.mark.usefixtures("rules")
def test_a_publisher_that_does_not_see_the_end_of_the_push_is_asked_again(
    operate: Operate, publisher: Published
) -> None:
    """SSM may show `pushing` for some time after it was deleted."""
    publisher.answers = [OTHER] * 2
    status, _, err = operate("rules", "push", "--yes")
    assert (status, err, publisher.invocations) == (0, "", 3)


@pytest.mark.usefixtures("rules")
def test_a_version_that_publishes_nothing_is_refused(operate: Operate) -> None:
    """Its functions would read half a set of rules."""
    status, _, err = operate("rules", "push", "--yes")
    assert (status, "found no output PublisherArn, expected a version that" in err) == (2, True)


@pytest.mark.usefixtures("rules")
def test_a_prefix_that_no_publisher_reads_is_refused(operate: Operate) -> None:
    """Rules below it would be in force nowhere."""
    status, _, err = operate("rules", "push", "--prefix", "/mail/main", "--yes")
    assert status == 2
    assert err == (
        "--prefix /mail/main in eu-west-1: found no publisher with the prefix /mail/main, expected "
        "one: check --prefix and --region, or run bouncer doctor\n"
    )


@pytest.mark.usefixtures("publisher", "rules")
def test_a_prefix_finds_its_publisher(
    deployed: Deployed, operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a cdk.json: by the environment of the function."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001  # where the SDK meets the network
    function = {
        "FunctionName": "arn:publisher",
        "Handler": "bouncer.publisher.handler",
        "Environment": {"Variables": {PREFIX_KEY: PREFIX, DEFAULTS_KEY: "{}", BUCKET_KEY: BUCKET}},
    }

    def made(client: Any, name: str, given: Any) -> Any:
        return {"Functions": [function]} if name == "ListFunctions" else call(client, name, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", made)
    Path("cdk.json").unlink()
    status, out, err = operate("rules", "push", "--prefix", f"{PREFIX}/", "--yes")
    assert (status, err) == (0, "")
    shown = "arn:publisher in eu-west-1, parameters below /ses-auto-bouncer/main"
    assert out.splitlines()[0] == shown
    assert set(in_ssm(deployed)) == {"rules/a", "rules/b"}


@pytest.mark.usefixtures("publisher", "rules")
def test_another_push_is_not_disturbed(deployed: Deployed, operate: Operate) -> None:
    """Nothing is written, and the exit status says that nothing was done."""
    pushing = Pushing("r9", "arn:aws:iam::1:user/bob", now(SystemClock()) + LONGEST)
    deployed.put("pushing", pushing_document(pushing))
    before = in_ssm(deployed)
    status, _, err = operate("rules", "push", "--yes")
    assert status == 1
    assert err.startswith(f"{PREFIX}/pushing: found a push by arn:aws:iam::1:user/bob, at work at")
    assert in_ssm(deployed) == before


@pytest.mark.threat
@pytest.mark.usefixtures("publisher", "rules")
def test_what_others_wrote_reaches_no_terminal(deployed: Deployed, operate: Operate) -> None:
    """Controls and bidi marks in a parameter, or in the name of another push, are escapes."""
    deployed.put("rules/a", "accept: {}\x1b[31m\u202e")
    pushing = Pushing("r9", "\x1b[2Jbob", now(SystemClock()))
    deployed.put("pushing", pushing_document(pushing))
    status, out, _ = operate("rules", "push", "--yes")
    assert status == 0
    assert r"    -accept: {}\u001b[31m\u202e" in out.splitlines()
    assert r"    -\ no line end at the end" in out.splitlines()
    assert r"goes on:   with the push by \u001b[2Jbob that was at work" in out
    assert out.replace("\n", "").isprintable()


@pytest.mark.usefixtures("rules")
def test_ctrl_c_while_the_publisher_works(operate: Operate, publisher: Published) -> None:
    """All is written; the publisher goes on by itself."""
    publisher.failure = KeyboardInterrupt()
    status, _, err = operate("rules", "push", "--yes")
    assert (status, "the documents are written; they are in force as soon as" in err) == (130, True)
