"""A whole deployment in simulated AWS: runs one scenario and returns what happened."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

from bouncer.function_limits import (
    FEEDBACK_TIMEOUT_S,
    INTAKE_TIMEOUT_S,
    PUBLISHER_TIMEOUT_S,
    REPLIER_TIMEOUT_S,
    REPLIERS,
    WORKER_TIMEOUT_S,
)
from bouncer.jobs import reply_json
from bouncer.jobs.job import Job, JobError
from bouncer.jobs.job_json import from_json, to_json
from bouncer.publishing.occasion import Scope
from bouncer.sending.queue import GROUP, deduplication_id
from bouncer.sources.source import LISTS, RULES
from bouncer.sources.stopped_mail import STOPPED
from bouncer_sim.event_source_mapping import EventSourceMapping, InvocationError
from bouncer_sim.fake_ses.ses_account import ReceivedMail
from bouncer_sim.world.attempt import Attempt
from bouncer_sim.world.attribute_value import Item
from bouncer_sim.world.caller import Caller, Patience
from bouncer_sim.world.deployed_functions import PREFIX, STORED, DeployedFunctions, make_publisher
from bouncer_sim.world.deployed_services import (
    EVENTS_ARN,
    EVENTS_URL,
    QUEUE_ARN,
    QUEUE_URL,
    REPLIES_ARN,
    REPLIES_URL,
    DeployedServices,
)
from bouncer_sim.world.dynamodb_service import ItemVersion
from bouncer_sim.world.event_bus import EventBus, Published
from bouncer_sim.world.execution_environment import ExecutionEnvironment
from bouncer_sim.world.fifo_queue import QueuedMessage
from bouncer_sim.world.journal_tape import JournalLine, JournalTape
from bouncer_sim.world.lambda_function import Invocation, LambdaFunction
from bouncer_sim.world.mail_event import mail_event
from bouncer_sim.world.pollers import Pollers
from bouncer_sim.world.s3_service import PointerWrite
from bouncer_sim.world.scenario import (
    DAY_S,
    DOMAIN,
    LATENCIES,
    RULE_OF_JOBS,
    START,
    DocumentChanges,
    JobWaits,
    MailArrives,
    OddBody,
    OtherEvent,
    ParameterChanges,
    ReplyWaits,
    Scenario,
    Step,
    settings_document,
)
from bouncer_sim.world.service_client import ServiceClient
from bouncer_sim.world.ssm_service import ParameterChange
from bouncer_sim.world.timeline import Timeline
from bouncer_sim.world.waiting_work import DeadlyBody, waiting_job, waiting_reply
from bouncer_sim.world.wire import Wire

RULE = "when: {recipient_domain: example.com}\nreject: {type: DoesNotExist, message: Gone.}\n"

_POLLERS = 3
_EVENT_POLLERS = 2  # the mapping's highest concurrency
_MAPPING = Patience(connect_s=2, read_s=5, attempts=3)
_PUBLISHING_S = (5.0, 60.0, *(900.0,) * 20)  # before each try to publish a change
_LONGEST_RUN_S = 10 * DAY_S
_ASKED_BY_SES = 3  # SES's own attempts to invoke an intake that fails: not documented


@dataclass(slots=True, kw_only=True)
class Mail:
    """A mail that SES received, and what the intake answered: a disposition for each answer."""

    step: MailArrives
    received_at: float
    answers: list[str] = field(default_factory=list)
    unanswered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that happened in a run; times are seconds since the epoch.

    `ledger` has the items at the end, `versions` all that they ever were, and `kept` the stopped
    mail by its key.
    """

    scenario: Scenario
    attempts: list[Attempt]
    lines: list[JournalLine]
    mails: list[Mail]
    invocations: list[Invocation]
    queued: list[QueuedMessage]
    left: list[QueuedMessage]
    dead: list[QueuedMessage]
    published: list[Published]
    lost_events: list[QueuedMessage]
    replies: list[QueuedMessage]
    replies_left: list[QueuedMessage]
    dead_replies: list[QueuedMessage]
    parameters: list[ParameterChange]
    pointers: list[PointerWrite]
    kept: dict[str, bytes]
    ledger: dict[str, Item]
    versions: list[ItemVersion]
    started_at: float
    ended_at: float


class SimulatedWorld:
    """The world of one scenario; `run` it once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._timeline = Timeline(START)
        self._wire = Wire(
            self._timeline,
            scenario.incidents,
            latencies={**LATENCIES, "ses": scenario.ses_latency},
            random=Random(scenario.random_seed),  # noqa: S311  # chance that can be repeated
        )
        self._tape = JournalTape(self._timeline)
        self._mails: list[Mail] = []
        self._recipients: dict[str, dict[str, None]] = {}
        self._services = DeployedServices(self._now, verified=[DOMAIN])
        self._queue = self._services.queue
        self._ssm = self._services.parameters
        self._publisher = make_publisher(
            self._services, lambda: datetime.fromtimestamp(self._now(), UTC)
        )
        self._bus = EventBus(self._timeline, self._services.events, scenario.fates)
        self._services.ses.accepted = self._bus.follow
        self._make_functions()

    def _make_functions(self) -> None:
        deployed = DeployedFunctions(
            self._connect,
            self._tape,
            partial(self._publisher.publish, Scope.SETTINGS),
            stores=self._scenario.stores,
        )
        make = partial(
            LambdaFunction,
            self._timeline,
            incidents=self._scenario.incidents,
            skews=self._scenario.skews,
        )
        self._worker = make("worker", timeout_s=WORKER_TIMEOUT_S, build=deployed.worker)
        self._feedback = make("feedback", timeout_s=FEEDBACK_TIMEOUT_S, build=deployed.feedback)
        self._replier = make("replier", timeout_s=REPLIER_TIMEOUT_S, build=deployed.replier)
        self._intake = make("intake", timeout_s=INTAKE_TIMEOUT_S, build=deployed.intake)
        self._everything = make(
            "publisher", timeout_s=PUBLISHER_TIMEOUT_S, build=deployed.publisher
        )
        service = self._services.by_name["sqs"]
        sqs: Any = ServiceClient(  # in boto3's place
            self._wire, Caller(name="mapping"), _MAPPING, name="sqs", service=service
        )
        jobs = EventSourceMapping(sqs, QUEUE_URL, QUEUE_ARN, self._worker.invoke)
        events = EventSourceMapping(sqs, EVENTS_URL, EVENTS_ARN, self._feedback.invoke)
        self._pollers = Pollers(self._timeline, jobs, self._queue)
        replies = EventSourceMapping(sqs, REPLIES_URL, REPLIES_ARN, self._replier.invoke)
        self._reply_pollers = Pollers(self._timeline, replies, self._services.replies)
        self._event_pollers = Pollers(self._timeline, events, self._services.events)

    def _now(self) -> float:
        return self._timeline.now

    def _connect(
        self, environment: ExecutionEnvironment, name: str, patience: Patience
    ) -> ServiceClient:
        service = self._services.by_name[name]
        return ServiceClient(self._wire, environment.caller, patience, name=name, service=service)

    def run(self) -> History:
        """Let the scenario happen until nothing is left to do, and return what happened."""
        limit = self._limit()
        self._ssm.put(f"{PREFIX}/rules/everybody", f"{limit}{RULE}")
        self._ssm.put(f"{PREFIX}/rules/{RULE_OF_JOBS}", f"{limit}mode: off\n{RULE}")
        settings = settings_document(self._scenario.expiry_margin_s, self._scenario.rate)
        self._ssm.put(f"{PREFIX}/settings", settings)
        self._publisher.publish(Scope.EVERYTHING)
        self._ssm.changed = partial(self._publisher.publish, Scope.SETTINGS)
        for step in self._scenario.steps:
            self._timeline.at(START + step.at, partial(self._happen, step))
        self._pollers.begin(_POLLERS)
        self._event_pollers.begin(_EVENT_POLLERS)
        self._reply_pollers.begin(REPLIERS)
        self._timeline.run(START + _LONGEST_RUN_S)
        return History(
            scenario=self._scenario,
            attempts=self._wire.attempts,
            lines=self._tape.lines,
            mails=self._mails,
            invocations=self._intake.invocations
            + self._worker.invocations
            + self._replier.invocations
            + self._feedback.invocations,
            queued=self._queue.sent,
            left=self._queue.messages,
            dead=self._services.dead_letters.sent,
            published=self._bus.published,
            lost_events=self._services.lost_events.sent,
            replies=self._services.replies.sent,
            replies_left=self._services.replies.messages,
            dead_replies=self._services.dead_replies.sent,
            parameters=self._ssm.changes,
            pointers=self._services.bucket.pointers,
            kept=self._kept(),
            ledger=self._services.ledger.items,
            versions=self._services.ledger.versions,
            started_at=START,
            ended_at=self._now(),
        )

    def _kept(self) -> dict[str, bytes]:
        objects = self._services.mails.objects
        return {key: data for key, data in objects.items() if key.startswith(STOPPED)}

    def _limit(self) -> str:
        """Return the line of a rule that limits its bounces, if the scenario does."""
        bounces = self._scenario.at_most
        return f"at_most: {{bounces: {bounces}, per: 1h}}\n" if bounces else ""

    def _happen(self, step: Step) -> None:
        match step:
            case MailArrives():
                self._timeline.spawn(partial(self._receive, step))
            case JobWaits():
                self._put_job(step)
            case ReplyWaits():
                self._put_reply(step)
            case OddBody():
                self._queue.send(step.body, GROUP, step.name)
            case OtherEvent():
                self._bus.publish(step.mail_id, step.kind, source=step.source)
            case ParameterChanges(name=name, text=text):
                self._write(name, text)
            case DocumentChanges(name=name, text=text, objects=objects):
                for key, data in objects:
                    self._services.bucket.change(key, data)
                self._write(name, text)

    def _write(self, name: str, text: str | None) -> None:
        """Write or delete a parameter; settings are in force at once, rules and lists soon."""
        if text is None:
            self._ssm.delete(f"{PREFIX}/{name}")
        else:
            self._ssm.put(f"{PREFIX}/{name}", text)
        if name.startswith((RULES, LISTS)):
            self._timeline.spawn(self._publish)

    def _publish(self) -> None:
        """Publish everything: soon after a change, and again by the schedule while it fails."""
        for pause_s in _PUBLISHING_S:
            self._timeline.sleep(pause_s)
            with suppress(InvocationError):
                self._everything.invoke({})
                return

    def _receive(self, step: MailArrives) -> None:
        """Take in a mail as SES does, and ask the intake about it."""
        mail = Mail(step=step, received_at=self._now())
        self._mails.append(mail)
        self._take_in(step.message_id, step.sender, step.recipients, self._now())
        if self._scenario.stores:
            self._services.mails.change(f"{STORED}{step.message_id}", raw_mail(step))
        event = mail_event(
            step.message_id,
            sender=step.sender,
            recipients=step.recipients,
            received_at=self._now(),
            headers=step.headers,
            vouched=step.vouched,
        )
        for _ in range(1 + step.repeats):
            self._ask_intake(mail, event)

    def _ask_intake(self, mail: Mail, event: object) -> None:
        """Keep the intake's answer; an intake without one is asked again after a while."""
        for number in range(1, _ASKED_BY_SES + 1):
            try:
                answer = self._intake.invoke(event)
            except InvocationError:
                mail.unanswered += 1
                self._timeline.sleep(2.0 * number)
            else:
                known = answer if isinstance(answer, dict) else {}
                mail.answers.append(str(known.get("disposition", "CONTINUE")))
                return

    def _take_in(
        self, message_id: str, sender: str, recipients: Iterable[str], received_at: float
    ) -> None:
        """Have SES know a mail; a second job for it may be for other recipients of it."""
        known = self._recipients.setdefault(message_id, {})
        known.update(dict.fromkeys(recipients))
        mail = ReceivedMail(
            message_id=message_id,
            sender=sender,
            recipients=tuple(known),
            received_at=received_at,
            headers=b"",
        )
        self._services.account.receive(mail)

    def _put_job(self, step: JobWaits) -> None:
        received_at = self._now() - step.age_s
        self._take_in(step.message_id, step.sender, step.recipients, received_at)
        job = waiting_job(step, received_at)
        body = DeadlyBody(to_json(job)) if step.deadly else to_json(job)
        self._queue.send(body, GROUP, deduplication_id(job))

    def _put_reply(self, step: ReplyWaits) -> None:
        body = reply_json.to_json(waiting_reply(step, self._now() - step.age_s))
        for number in range(step.copies):
            name = f"{step.message_id}-{number}"
            self._services.replies.send(body, name, name)


def raw_mail(step: MailArrives) -> bytes:
    """Return the bytes of a mail that SES stores."""
    return f"From: {step.sender}\r\nSubject: Mail {step.message_id}\r\n\r\nText.\r\n".encode()


def job_in(message: QueuedMessage) -> Job | None:
    """Return the job of a message, or None of a body that is not a job."""
    try:
        return from_json(str(message.body))
    except JobError:
        return None
