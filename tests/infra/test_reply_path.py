"""Invariants of a deployment that sends replies, and of one that sends none."""

import pytest

from bouncer.sending.delays import LONGEST_DELAY_S
from bouncer.sending.gate import LIFETIME
from tests.infra.monitoring_parts import Template
from tests.infra.test_template import actions, served, statements


@pytest.mark.threat
def test_replier_sends_only_as_the_reply_senders(maximal: Template) -> None:
    """It may send raw mail from them, by their identities and with our set, and ask for quota."""
    ses = [s for s in statements(maximal, "bouncer.replier.handler") if "ses" in str(s["Action"])]
    sending, asking = ses
    assert sending["Action"] == "ses:SendRawEmail"
    assert sending["Condition"] == {
        "StringEqualsIgnoreCase": {"ses:FromAddress": ["desk@example.com", "support@brand.example"]}
    }
    named = [str(each).rpartition("/")[2].rstrip("']}") for each in sending["Resource"]]
    assert sorted(named) == [
        "brand.example",
        "desk@example.com",
        "example.com",
        "ses-auto-bouncer-main",
        "support@brand.example",
    ]
    assert asking == {"Action": "ses:GetAccount", "Effect": "Allow", "Resource": "*"}


@pytest.mark.threat
def test_replier_may_do_no_more(maximal: Template) -> None:
    """Queue, ledger, what is in force, SES, and the key that encrypts them: nothing else."""
    assert actions(maximal, "bouncer.replier.handler") == {
        "dynamodb:BatchGetItem",
        "dynamodb:UpdateItem",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "s3:GetObject",
        "ses:GetAccount",
        "ses:SendRawEmail",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    }


def test_replies_of_another_accounts_identity_name_it(other: Template) -> None:
    """The identity's ARN is in the policy as it is written."""
    sending = next(
        s for s in statements(other, "bouncer.replier.handler") if "SendRaw" in str(s["Action"])
    )
    assert "arn:aws:ses:eu-west-1:111122223333:identity/brand.example" in sending["Resource"]


def test_replies_have_a_standard_queue_and_two_repliers(maximal: Template) -> None:
    """A reply waits longer than its 24 hours, and is delivered again as often as that takes."""
    mapping, queue = served(maximal, "bouncer.replier.handler")
    assert "FifoQueue" not in queue
    assert queue["VisibilityTimeout"] == 6 * 60
    assert queue["MessageRetentionPeriod"] > LIFETIME.total_seconds()
    assert queue["RedrivePolicy"]["maxReceiveCount"] > LIFETIME.total_seconds() / LONGEST_DELAY_S
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_without_reply_senders_nothing_of_replies_exists(template: Template) -> None:
    """The pollers of an idle queue cost money."""
    assert not [key for key in template["Resources"] if "repl" in key.lower()]
    assert "REPLY" not in str(template["Resources"])


def test_intake_and_publisher_know_the_reply_senders(maximal: Template) -> None:
    """Mail to them is never answered, and rules are checked against them."""
    functions = (each["Properties"] for each in maximal["Resources"].values())
    knowing = {
        each["Handler"]
        for each in functions
        if "BOUNCER_REPLY_SENDERS" in each.get("Environment", {}).get("Variables", {})
    }
    assert knowing == {f"bouncer.{name}.handler" for name in ("intake", "publisher", "replier")}
