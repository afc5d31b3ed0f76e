"""The rules of AWS's security packs, by cdk-nag, over a deployment with everything on."""

import json
import re
from collections.abc import Callable

from bouncer_infra.deployment_settings import setting_rows
from tests.infra.conftest import MAXIMAL, MINIMAL, NOT_IN_MAXIMAL
from tests.infra.nist_reasons import ACCEPTED
from tests.infra.sending_settings import SENDING

_NIST = "NIST.800.53.R5-"


def test_everything_is_on() -> None:
    """A new setting is in the largest deployment, or has a reason for being left out."""
    given = {**MINIMAL, **MAXIMAL, **SENDING}
    assert given.keys() | NOT_IN_MAXIMAL.keys() == setting_rows().keys()
    assert not given.keys() & NOT_IN_MAXIMAL.keys()
    assert all(NOT_IN_MAXIMAL.values())


def test_every_finding_has_a_reason(findings: Callable[..., list[str]]) -> None:
    """AWS Solutions finds only what is acknowledged beside its resource.

    The findings of NIST's pack have their reasons in one table, which has none without a finding.
    """
    sending = json.dumps(SENDING).replace("us-east-1", "eu-west-1")  # the key's region and account
    own = json.loads(sending.replace("111122223333", "123456789012"))
    found = findings({**MAXIMAL, **own}, packs=("AwsSolutionsChecks", "NIST80053R5Checks"))
    assert [each for each in found if not each.startswith(_NIST)] == []
    used: set[tuple[str, str]] = set()
    unexplained = []
    for each in found:
        rule, _, place = each.removeprefix(_NIST).partition(" ")
        reasons = [key for key in ACCEPTED.get(rule, ()) if _names(key, place)]
        used |= {(rule, key) for key in reasons}
        if len(reasons) != 1:
            unexplained.append(f"{each}: {len(reasons)} reasons")
    assert unexplained == []
    assert used == {(rule, key) for rule, reasons in ACCEPTED.items() for key in reasons}


def _names(pattern: str, place: str) -> bool:
    inner = place.removeprefix("Test/Default/").removesuffix("/Resource")
    return re.fullmatch(pattern, inner) is not None


def test_the_packs_can_fail(findings: Callable[..., list[str]]) -> None:
    """In the smallest deployment only a queue that is not ours is found.

    Anyone may use that one in plain text: acknowledgements cover their resource only.
    """
    from aws_cdk import aws_sqs as sqs  # noqa: PLC0415  # Node first

    found = findings({}, lambda stack: sqs.Queue(stack, "Plain"))
    assert {name.split()[1] for name in found} == {"Test/Plain/Resource"}
    assert "AwsSolutions-SQS4 Test/Plain/Resource" in found
