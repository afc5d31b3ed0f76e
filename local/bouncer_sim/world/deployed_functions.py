"""Builds the deployed functions with simulated clients and clocks: the one place that does.

It says the same as `bouncer.worker._worker`, `bouncer.replier._replier`, `bouncer.intake._intake`,
`bouncer.feedback._feedback` and `bouncer.publisher._publisher`, and follows them.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from bouncer.feedback import Feedback
from bouncer.feedback_journal import FeedbackJournal
from bouncer.intake import RESERVE_S, Intake
from bouncer.journal import Journal
from bouncer.operator_settings import Settings
from bouncer.publisher import Publisher, Sources
from bouncer.publisher_journal import PublisherJournal
from bouncer.publishing.occasion import Scope
from bouncer.publishing.publisher_prompt import PublisherPrompt
from bouncer.publishing.revision_store import RevisionStore
from bouncer.replier import Replier
from bouncer.replier_journal import ReplierJournal
from bouncer.sending import ses
from bouncer.sending.brakes_ledger import BrakesLedger
from bouncer.sending.feedback_ledger import FeedbackLedger
from bouncer.sending.ledger import Ledger
from bouncer.sending.pacer import Pacer
from bouncer.sending.queue import Queue, WorkerQueue
from bouncer.sending.reply_ledger import ReplyLedger
from bouncer.sending.reply_queue import ReplierQueue
from bouncer.sending.reply_sender import ReplySender
from bouncer.sending.send_quota import QuotaBook
from bouncer.sending.ses import Sender
from bouncer.sending.table import Table
from bouncer.sources.bucket_source import BucketSource
from bouncer.sources.hold import Hold
from bouncer.sources.mail_bucket import MailBucket
from bouncer.sources.parameters import ParameterSource, SettingsSource
from bouncer.sources.revision_loader import PointerLoader, RevisionLoader
from bouncer.sources.uploads import Uploads
from bouncer.worker import Worker
from bouncer_sim.world.caller import Patience
from bouncer_sim.world.deployed_services import (
    BUCKET,
    DEAD_LETTER_URL,
    DEAD_REPLIES_URL,
    MAIL_BUCKET,
    QUEUE_URL,
    REPLIES_URL,
    TABLE,
    DeployedServices,
)
from bouncer_sim.world.direct_client import DirectClient
from bouncer_sim.world.event_bus import OUR_SENDER
from bouncer_sim.world.execution_environment import ExecutionEnvironment
from bouncer_sim.world.journal_tape import JournalTape
from bouncer_sim.world.lambda_function import Handler
from bouncer_sim.world.scenario import DOMAIN

PREFIX = "/ses-auto-bouncer/world"
REPLY_SENDERS = frozenset({f"desk@{DOMAIN}", "desk@unverified.example"})
STORED = "mail/"  # the beginning of the keys of mail that SES has stored

# As the functions set them: worker._CONFIG, ses.CONFIG, and aws/client.py of the intake.
_WORKER = Patience(connect_s=1, read_s=2, attempts=2)
_LEDGER = Patience(connect_s=1, read_s=2, attempts=1)
_SES = Patience(connect_s=ses.CONNECT_TIMEOUT_S, read_s=ses.READ_TIMEOUT_S, attempts=1)
_PUBLISHER = Patience(connect_s=2, read_s=5, attempts=6)
_INTAKE_S3 = Patience(connect_s=1, read_s=3, attempts=2, raises_lost=True)
_INTAKE_SQS = Patience(connect_s=1, read_s=3, attempts=5, raises_lost=True)

# Makes a client of `dynamodb`, `sqs`, `ses`, `s3` or `mails` for an environment.
Connect = Callable[[ExecutionEnvironment, str, Patience], Any]


@dataclass(frozen=True, slots=True)
class DeployedFunctions:
    """The functions of a deployment, as a world builds them; `stores` if SES stores mail."""

    connect: Connect
    tape: JournalTape
    publish: Callable[[], object]
    stores: bool = False

    def worker(self, environment: ExecutionEnvironment) -> Handler:
        """Return the worker's handler."""
        s3, sqs = (self.connect(environment, name, _WORKER) for name in ("s3", "sqs"))
        dynamodb = self.connect(environment, "dynamodb", _LEDGER)
        built = Worker(
            loader=PointerLoader(BucketSource(s3, BUCKET), now=environment.ticks),
            ledger=Ledger(
                Table(dynamodb, TABLE),
                now=environment.now,
                sleep=environment.sleep,
                new_name=environment.new_name,
            ),
            jobs=WorkerQueue(sqs, QUEUE_URL, DEAD_LETTER_URL),
            sender=Sender(self.connect(environment, "ses", _SES)),
            pacer=Pacer(now=environment.ticks, sleep=environment.sleep),
            publisher=PublisherPrompt(lambda: _Functions(self.publish), "publisher"),
            outcomes=Journal("worker", "world", stream=self.tape.stream(environment)),
            now=environment.now,
            ticks=environment.ticks,
            sleep=environment.sleep,
            new_name=environment.new_name,
        )
        return lambda event, request_id: built.handle(
            event["Records"], remaining_s=environment.remaining_s(), request_id=request_id
        )

    def replier(self, environment: ExecutionEnvironment) -> Handler:
        """Return the replier's handler."""
        s3, sqs, account = (
            self.connect(environment, name, _WORKER) for name in ("s3", "sqs", "mail")
        )
        dynamodb = self.connect(environment, "dynamodb", _LEDGER)
        mail = self.connect(environment, "mail", _SES)
        journal = ReplierJournal("replier", "world", stream=self.tape.stream(environment))
        built = Replier(
            loader=PointerLoader(BucketSource(s3, BUCKET), now=environment.ticks),
            ledger=ReplyLedger(
                Table(dynamodb, TABLE),
                now=environment.now,
                sleep=environment.sleep,
                new_name=environment.new_name,
            ),
            jobs=ReplierQueue(sqs, REPLIES_URL, DEAD_REPLIES_URL),
            sender=ReplySender(mail, deployment="world", now=environment.now),
            pacer=Pacer(now=environment.ticks, sleep=environment.sleep),
            quota=QuotaBook(account, ticks=environment.ticks, failed=journal.quota_unread),
            senders=REPLY_SENDERS,
            outcomes=journal,
            now=environment.now,
            ticks=environment.ticks,
            new_name=environment.new_name,
        )
        return lambda event, request_id: built.handle(
            event["Records"], remaining_s=environment.remaining_s(), request_id=request_id
        )

    def feedback(self, environment: ExecutionEnvironment) -> Handler:
        """Return the feedback function's handler."""
        s3, ssm = (self.connect(environment, name, _WORKER) for name in ("s3", "ssm"))
        built = Feedback(
            ledger=FeedbackLedger(
                Table(self.connect(environment, "dynamodb", _LEDGER), TABLE),
                now=environment.now,
                new_name=environment.new_name,
            ),
            journal=FeedbackJournal("feedback", "world", stream=self.tape.stream(environment)),
            senders=[OUR_SENDER],
            loader=PointerLoader(BucketSource(s3, BUCKET), now=environment.ticks),
            hold=Hold(ssm, PREFIX),
            now=environment.now,
        )
        return lambda event, request_id: built.handle(event["Records"], request_id=request_id)

    def intake(self, environment: ExecutionEnvironment) -> Handler:
        """Return the intake's handler."""
        source = BucketSource(self.connect(environment, "s3", _INTAKE_S3), BUCKET)
        built = Intake(
            loader=RevisionLoader(source, now=environment.ticks),
            jobs=Queue(self.connect(environment, "sqs", _INTAKE_SQS), QUEUE_URL),
            journal=Journal("intake", "world", stream=self.tape.stream(environment)),
            now=environment.now,
            mails=self._mails(environment) if self.stores else None,
        )
        return lambda event, request_id: _invoke(built, environment, event, request_id)

    def _mails(self, environment: ExecutionEnvironment) -> MailBucket:
        client = self.connect(environment, "mails", _INTAKE_S3)
        return MailBucket(client, MAIL_BUCKET, STORED, keeps=True)

    def publisher(self, environment: ExecutionEnvironment) -> Handler:
        """Return the publisher's handler, for events that ask for everything."""
        s3, ssm = (self.connect(environment, name, _PUBLISHER) for name in ("s3", "ssm"))
        built = _publisher(
            s3,
            ssm,
            self.connect(environment, "dynamodb", _LEDGER),
            stream=self.tape.stream(environment),
            now=environment.now,
            pause=lambda: environment.sleep(0.5),
        )
        return lambda _, request_id: built.publish(Scope.EVERYTHING, request_id=request_id)


class _Functions:
    """A client of Lambda that runs the publisher at once."""

    def __init__(self, publish: Callable[[], object]) -> None:
        self._publish = publish

    def invoke(self, **_: object) -> dict[str, int]:
        self._publish()
        return {"StatusCode": 202}


def make_publisher(services: DeployedServices, now: Callable[[], datetime]) -> Publisher:
    """Return a publisher that meets no trouble and takes no time."""
    ssm, s3 = DirectClient(services.parameters), DirectClient(services.bucket)
    dynamodb = DirectClient(services.ledger)
    return _publisher(s3, ssm, dynamodb, stream=io.StringIO(), now=now, pause=lambda: None)


def _publisher(
    s3: Any,
    ssm: Any,
    dynamodb: Any,
    *,
    stream: IO[str],
    now: Callable[[], datetime],
    pause: Callable[[], None],
) -> Publisher:
    return Publisher(
        store=RevisionStore(s3, BUCKET),
        sources=Sources(
            ParameterSource(ssm, PREFIX, Uploads(s3, BUCKET).fetch), SettingsSource(ssm, PREFIX)
        ),
        ledger=BrakesLedger(Table(dynamodb, TABLE)),
        defaults=Settings(),
        journal=PublisherJournal("publisher", "world", stream=stream),
        now=now,
        pause=pause,
    )


def _invoke(
    intake: Intake, environment: ExecutionEnvironment, event: Any, request_id: str
) -> object:
    """Invoke the intake, whose calls wait no longer than its time allows."""
    until = environment.ticks() + environment.remaining_s() - RESERVE_S
    environment.caller.left_s = lambda: until - environment.ticks()
    return intake.handle(event, request_id=request_id)
