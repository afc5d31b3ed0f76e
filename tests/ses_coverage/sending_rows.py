"""Rows of the three operations that send: SendBounce, SendEmail, SendRawEmail."""

from collections.abc import Iterable, Mapping

from tests.ses_coverage.coverage_row import Code, Row

_JOB = "tests/unit/test_job.py::test_becomes_one_call_with_every_parameter"
_DSN = "tests/unit/ses/test_dsn.py::test_every_parameter_reaches_the_notification"
_BOUNCE_IDS = "tests/unit/ses/test_server.py::test_boto3_sends_a_bounce"


def _bounce(member: str) -> Row:
    """Return the row of a member that the worker sends and the fake SES reads."""
    word = member.rpartition(".")[2]
    use = Code("worker", "lambda/bouncer/sending/bounce_request.py", word)
    return Row(member, (use,), (_JOB, _DSN))


_BOUNCE_MEMBERS = (
    "OriginalMessageId",
    "BounceSender",
    "Explanation",
    "MessageDsn.ReportingMta",
    "MessageDsn.ArrivalDate",
    "MessageDsn.ExtensionFields.Name",
    "MessageDsn.ExtensionFields.Value",
    "BouncedRecipientInfoList.Recipient",
    "BouncedRecipientInfoList.RecipientArn",
    "BouncedRecipientInfoList.BounceType",
    "BouncedRecipientInfoList.RecipientDsnFields.FinalRecipient",
    "BouncedRecipientInfoList.RecipientDsnFields.Action",
    "BouncedRecipientInfoList.RecipientDsnFields.RemoteMta",
    "BouncedRecipientInfoList.RecipientDsnFields.Status",
    "BouncedRecipientInfoList.RecipientDsnFields.DiagnosticCode",
    "BouncedRecipientInfoList.RecipientDsnFields.LastAttemptDate",
    "BouncedRecipientInfoList.RecipientDsnFields.ExtensionFields.Name",
    "BouncedRecipientInfoList.RecipientDsnFields.ExtensionFields.Value",
    "BounceSenderArn",
)
_FAKE = "local/bouncer_sim/fake_ses/classic_mail.py"
_COMPOSED = "tests/unit/ses/test_every_member.py::test_a_composed_mail_with_every_member_is_sent"
_RAW = "tests/unit/ses/test_every_member.py::test_a_raw_mail_with_every_member_is_sent"
_TAGGED = "tests/unit/ses/test_mails.py::test_events_have_the_tags"
_REPORT = "tests/functions/reporting/test_reporter.py::test_a_report_is_sent"
_REPLY = "tests/functions/replier/test_replier.py::test_the_call_has_all_that_ses_takes"


def _composed(member: str, word: str, *, reported: str = "", test: str = _COMPOSED) -> Row:
    """Return the row of a member that the fake SES reads; `reported` is what a report calls it."""
    fake = Code("fake SES", _FAKE, word)
    if not reported:
        return Row(member, (fake,), (test,))
    report = Code("reporter, by SESv2", "lambda/bouncer/reporting/report_sender.py", reported)
    return Row(member, (report, fake), (_REPORT, test))


def _raw(member: str, word: str, *, replied: str = "", test: str = _RAW) -> Row:
    fake = Code("fake SES", _FAKE, word)
    if not replied:
        return Row(member, (fake,), (test,))
    reply = Code("replier", "lambda/bouncer/sending/reply_request.py", replied)
    return Row(member, (reply, fake), (_REPLY, test))


SENDING_ROWS: Mapping[str, Iterable[Row]] = {
    "SendBounce": (
        *map(_bounce, _BOUNCE_MEMBERS),
        Row(
            "-> MessageId",
            (Code("worker", "lambda/bouncer/sending/ses.py", "MessageId"),),
            (_BOUNCE_IDS,),
        ),
    ),
    "SendEmail": (
        _composed("Source", "Source", reported="FromEmailAddress"),
        _composed("Destination.ToAddresses", "Destination", reported="ToAddresses"),
        _composed("Destination.CcAddresses", "Cc"),
        _composed("Destination.BccAddresses", "Bcc"),
        _composed("Message.Subject.Data", "Message.Subject", reported="Subject"),
        _composed("Message.Subject.Charset", "Charset", reported="Charset"),
        _composed("Message.Body.Text.Data", "Message.Body.Text", reported="Text"),
        _composed("Message.Body.Text.Charset", "Charset", reported="Charset"),
        _composed("Message.Body.Html.Data", "Message.Body.Html"),
        _composed("Message.Body.Html.Charset", "Charset"),
        _composed("ReplyToAddresses", "ReplyToAddresses", reported="ReplyToAddresses"),
        _composed("ReturnPath", "ReturnPath"),
        _composed("SourceArn", "SourceArn"),
        _composed("ReturnPathArn", "ReturnPathArn"),
        _composed("Tags.Name", "Tags", reported="EmailTags", test=_TAGGED),
        _composed("Tags.Value", "Tags", reported="EmailTags", test=_TAGGED),
        _composed(
            "ConfigurationSetName",
            "ConfigurationSetName",
            reported="ConfigurationSetName",
            test=_TAGGED,
        ),
        Row(
            "-> MessageId",
            (Code("reporter, by SESv2", "lambda/bouncer/reporting/report_sender.py", "MessageId"),),
            (_REPORT,),
        ),
    ),
    "SendRawEmail": (
        _raw("Source", "Source", replied="Source"),
        _raw("Destinations", "Destinations", replied="Destinations"),
        _raw("RawMessage.Data", "RawMessage.Data", replied="RawMessage"),
        _raw("FromArn", "FromArn"),
        _raw("SourceArn", "SourceArn", replied="SourceArn"),
        _raw("ReturnPathArn", "ReturnPathArn"),
        _raw("Tags.Name", "Tags", replied="Tags", test=_TAGGED),
        _raw("Tags.Value", "Tags", replied="Tags", test=_TAGGED),
        _raw(
            "ConfigurationSetName",
            "ConfigurationSetName",
            replied="ConfigurationSetName",
            test=_TAGGED,
        ),
        Row(
            "-> MessageId",
            (Code("replier", "lambda/bouncer/sending/reply_sender.py", "MessageId"),),
            (_REPLY,),
        ),
    ),
}
