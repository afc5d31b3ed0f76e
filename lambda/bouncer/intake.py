"""The Lambda function SES calls for every mail: decide, queue what is to be bounced, answer SES.

It fails open. Whatever goes wrong here, the answer is CONTINUE: mail is never lost because of us,
and an error of ours never becomes a bounce.
"""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bouncer.aws.client import SQS, Surroundings
from bouncer.aws.object_client import S3
from bouncer.environment import UNKNOWN_DEPLOYMENT, IntakeEnvironment
from bouncer.errors import UnreadableEventError
from bouncer.jobs.job import Job, JobError
from bouncer.journal import Journal
from bouncer.judge import Disposition, Judgement, judge
from bouncer.mail.message import Message, read_event
from bouncer.mail_line import QueueAnswer
from bouncer.sending.queue import Queue, QueueError
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.loaded import InForceLoader, Loaded
from bouncer.sources.mail_bucket import MailBucket
from bouncer.sources.revision_loader import RevisionLoader

if TYPE_CHECKING:
    from bouncer.jobs.reply import Reply

RESERVE_S = 3  # kept for judging, the journal and the answer, when AWS does not answer us
PARSING_S = (
    6  # and before that for reading contents: a hostile mail takes 5 s at a seventh of a core
)
REPLYING_S = 3  # the longest that a mail waits for the queue of replies: one lost costs less


class JobSink(Protocol):
    """The receiver of jobs: the queue, or a list in a test."""

    def send(self, job: Job) -> None:
        """Put one job on the queue."""


class ReplySink(Protocol):
    """The receiver of replies: their queue, or a list in a test."""

    def send(self, reply: "Reply") -> None:
        """Put one reply on the queue."""


class Intake:
    """Judges the mails of one event; `now` is the time of day.

    `mails` are those that SES has stored, None if it stores none; `replies` takes replies, None if
    the deployment sends none; `replying` bounds the time in which it takes those of a mail.
    """

    def __init__(
        self,
        *,
        loader: InForceLoader,
        jobs: JobSink,
        journal: Journal,
        now: Callable[[], datetime],
        mails: MailBucket | None = None,
        replies: ReplySink | None = None,
        replying: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._loader = loader
        self._jobs = jobs
        self._journal = journal
        self._now = now
        self._mails = mails
        self._replies = replies
        self._replying = replying

    def handle(self, event: object, *, request_id: str = "") -> dict[str, str]:
        """Return the answer to SES, which says whether the mail goes on; never raises."""
        self._journal.begin(request_id)
        try:
            disposition = self._disposition(event)
        except Exception as error:  # noqa: BLE001  # fail open, whatever it is
            self._journal.intake_failed("intake", error)
            disposition = Disposition.CONTINUE
        return {"disposition": str(disposition)}

    def _disposition(self, event: object) -> Disposition:
        try:
            messages = read_event(event)
        except UnreadableEventError as error:
            self._journal.not_mail(str(error))
            return Disposition.CONTINUE
        try:
            loaded = self._loader.load()
        except Exception as error:  # noqa: BLE001  # no rules, no decisions: let the mail through
            for message in messages:
                self._journal.intake_failed("rules", error, message.message_id)
            return Disposition.CONTINUE
        self._journal.documents(loaded)
        judgements = [self._judge(message, loaded) for message in messages]
        handled = [self._carry_out(each, loaded) for each in judgements if each]
        dispositions = [done.judgement.disposition for done in handled]
        stopped = dispositions.count(Disposition.STOP_RULE_SET) == len(judgements)
        answer = Disposition.STOP_RULE_SET if stopped else Disposition.CONTINUE
        for done in handled:
            self._report(done, answer, loaded, self._reply(done.judgement))
        return answer

    def _judge(self, message: Message, loaded: Loaded) -> Judgement | None:
        """Judge a mail; None, journalled, if a bounce is due that can't be made."""
        mails = self._mails if loaded.settings.store else None
        try:
            now = self._now()
            judgement = judge(
                message,
                loaded.ruleset,
                loaded.settings,
                now=now,
                goes_on=loaded.goes_on(now),
                copy=mails.copy_of(message.message_id) if mails else None,
            )
        except JobError as error:
            self._journal.intake_failed("queue", error, message.message_id)
            return None
        if judgement.unread:
            self._journal.copy_failed("read", judgement.unread, message.message_id)
        return judgement

    def _carry_out(self, judgement: Judgement, loaded: Loaded) -> "_Handled":
        """Keep a mail that is to be stopped, then queue its jobs."""
        mails, kept = self._mails, ""
        stops = judgement.disposition is Disposition.STOP_RULE_SET
        if stops and mails and mails.keeps and loaded.settings.store:
            judgement, kept = self._keep(judgement, mails, loaded)
        return self._queue(judgement, kept)

    def _keep(
        self, judgement: Judgement, mails: MailBucket, loaded: Loaded
    ) -> tuple[Judgement, str]:
        """Keep a mail; one that can't be kept is judged again, so that no bounce is queued."""
        now, message = self._now(), judgement.message
        try:
            return judgement, mails.keep(judgement, now)
        except Exception as error:  # noqa: BLE001  # whatever it is: nobody would have the mail
            self._journal.copy_failed("keep", error, message.message_id)
            goes_on = loaded.goes_on(now)
            again = judge(
                message, loaded.ruleset, loaded.settings, now=now, goes_on=goes_on, kept=False
            )
            return again._replace(completed=judgement.completed), ""

    def _queue(self, judgement: Judgement, kept: str) -> "_Handled":
        """Queue the jobs of a mail until one fails: a mail that can't be bounced is not stopped."""
        if not judgement.jobs:
            return _Handled(judgement, (), kept)
        answers: list[QueueAnswer] = []
        for job in judgement.jobs:
            try:
                self._jobs.send(job)
            except Exception as error:  # noqa: BLE001  # whatever it is, the mail goes on
                message_id = judgement.message.message_id
                self._journal.intake_failed("queue", error, message_id, kept=kept)
                answers.append(_answer_of(error))
                judgement = judgement._replace(disposition=Disposition.CONTINUE)
                break
            answers.append(QueueAnswer.TAKEN)
        left = [QueueAnswer.NOT_ASKED] * (len(judgement.jobs) - len(answers))
        return _Handled(judgement, (*answers, *left), kept)

    def _reply(self, judgement: Judgement) -> tuple[QueueAnswer, ...]:
        """Queue the replies to a mail; whatever fails here, what becomes of the mail stays."""
        message_id = judgement.message.message_id
        if judgement.reply_error:
            self._journal.reply_not_queued("make", judgement.reply_error, message_id)
        queue = self._replies
        if queue is None:
            return (QueueAnswer.NO_QUEUE,) * len(judgement.replies)
        with self._replying():
            return tuple(self._queue_reply(each, queue, message_id) for each in judgement.replies)

    def _queue_reply(self, reply: "Reply", queue: ReplySink, message_id: str) -> QueueAnswer:
        try:
            queue.send(reply)
        except Exception as error:  # noqa: BLE001  # whatever it is, the others are due
            self._journal.reply_not_queued("queue", error, message_id)
            return _answer_of(error)
        return QueueAnswer.TAKEN

    def _report(
        self,
        done: "_Handled",
        answer: Disposition,
        loaded: Loaded,
        replies: tuple[QueueAnswer, ...],
    ) -> None:
        """Write the mail's line, unless its only jobs were refused: the failure's line says it."""
        known = {QueueAnswer.TAKEN, QueueAnswer.UNKNOWN} & set(done.answers)
        if known or replies or not done.answers:
            judgement = done.judgement
            if judgement.disposition is not answer:
                judgement = judgement._replace(disposition=answer)
            self._journal.mail(
                judgement,
                loaded.settings,
                revision=loaded.revision,
                answers=done.answers,
                kept=done.kept,
                replies=replies,
            )


def _answer_of(error: Exception) -> QueueAnswer:
    """Return the answer of a queue that raised this error."""
    refused = isinstance(error, QueueError) and not error.unknown
    return QueueAnswer.REFUSED if refused else QueueAnswer.UNKNOWN


class _Handled(NamedTuple):
    """A judged mail, what the queue said to each of its jobs, and the key by which it is kept."""

    judgement: Judgement
    answers: tuple[QueueAnswer, ...]
    kept: str


@cache
def _intake() -> tuple[Intake, Surroundings]:
    """Build the function with its dependencies, once, at its first event."""
    environment = IntakeEnvironment.from_env(os.environ)
    surroundings = Surroundings(
        environ=os.environ,
        region=environment.region,
        domain=environment.aws_domain,
        now=_now,
        ticks=time.monotonic,
        sleep=time.sleep,
    )
    source = BucketSource(S3(surroundings, environment.bucket), environment.bucket)
    intake = Intake(
        loader=RevisionLoader(source, now=time.monotonic, reply_senders=environment.reply_senders),
        jobs=Queue(SQS(surroundings), environment.queue_url),
        journal=Journal("intake", environment.deployment),
        now=_now,
        mails=_mails(surroundings, environment),
        replies=_replies(surroundings, environment),
        replying=partial(surroundings.within, REPLYING_S),
    )
    return intake, surroundings


def _replies(surroundings: Surroundings, environment: IntakeEnvironment) -> ReplySink | None:
    """Return the queue of replies, or None if the deployment sends none."""
    if not environment.reply_queue_url:
        return None
    from bouncer.sending.reply_queue import ReplyQueue  # noqa: PLC0415  # few deployments have one

    return ReplyQueue(SQS(surroundings), environment.reply_queue_url)


def _mails(surroundings: Surroundings, environment: IntakeEnvironment) -> MailBucket | None:
    """Return the mails that SES has stored; it is asked only when a mail needs it."""
    bucket = environment.mail_bucket
    if not bucket:
        return None
    client = S3(surroundings, bucket)
    return MailBucket(
        client,
        bucket,
        environment.mail_prefix,
        keeps=environment.keeps_stopped,
        sparing=partial(surroundings.sparing, PARSING_S),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def handler(event: object, context: Any) -> dict[str, str]:
    """Answer one event of SES: the Lambda entry point."""
    try:
        intake, surroundings = _intake()
        left_s = context.get_remaining_time_in_millis() / 1000
        surroundings.until = surroundings.ticks() + left_s - RESERVE_S
    except Exception as error:  # noqa: BLE001  # a wrong environment must not stop mail
        with suppress(Exception):  # not even the journal may stand in the way
            Journal("intake", UNKNOWN_DEPLOYMENT).intake_failed("start", error)
        return {"disposition": str(Disposition.CONTINUE)}
    return intake.handle(event, request_id=context.aws_request_id)
