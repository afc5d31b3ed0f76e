"""Keys that these credentials may not use, or not look at, with the action to allow for each."""

from typing import Any

import pytest

from bouncer_cli.doctor.finding import Level
from tests.functions.doctor.answers import function
from tests.functions.doctor.aws import found, lines
from tests.functions.doctor.faults_of_organization import FORMER, WITH_KEY, key, statements, whole

_SAID = "User: ann is not authorized to perform: kms:GenerateDataKey on resource: key"


@pytest.mark.parametrize("operation", ["DescribeKey", "GetKeyPolicy"])
def test_a_key_that_may_not_be_looked_at_is_one_warning(operation: str) -> None:
    """The other checks go on."""
    findings = found({**whole(), f"kms.{operation}": "AccessDeniedException"}, **WITH_KEY)
    (missed,) = [each for each in findings if "could not be checked" in each.found]
    assert missed.check == "key"
    assert missed.next_step == f"allow kms:{operation} to these credentials in IAM"
    assert not lines(findings, Level.PROBLEM)


@pytest.mark.parametrize(
    "denying",
    [
        {"Principal": "*", "Action": "kms:ScheduleKeyDeletion"},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:role/intern"}, "Action": "kms:*"},
        {
            "Principal": "*",
            "Action": "kms:*",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        },
    ],
)
def test_a_denial_of_something_else_is_no_finding(denying: dict[str, Any]) -> None:
    """To guard a key against deletion, or other accounts, is right."""
    answers = key(*statements().values(), {"Effect": "Deny", **denying})
    findings = [each for each in found(answers, **WITH_KEY) if each.check == "key"]
    assert [each.level for each in findings] == [Level.OK, Level.OK]


def test_a_former_key_that_is_listed_is_no_finding() -> None:
    """The deployed functions have it until the next deployment; so does a stack without a key."""
    deployed = {**whole(), **function(KMSKeyArn=FORMER)}
    for settings in ({**WITH_KEY, "former_kms_keys": (FORMER,)}, {"former_kms_keys": (FORMER,)}):
        findings = [each for each in found(deployed, **settings) if each.check == "key"]
        assert {each.level for each in findings} <= {Level.OK}


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("sqs.GetQueueAttributes", ("KMS.AccessDeniedException", _SAID)),
        ("ssm.GetParametersByPath", ("AccessDeniedException", _SAID)),
    ],
)
def test_a_service_that_may_not_use_the_key_names_kms(operation: str, answer: Any) -> None:
    """Not the call of the service, which these credentials may make."""
    missed = [each for each in found({operation: answer}) if "could not be checked" in each.found]
    assert missed
    for each in missed:
        assert each.next_step == "allow kms:GenerateDataKey to these credentials in IAM"
