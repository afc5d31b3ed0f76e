"""The services below a deployment's functions: queues, ledger, parameters and an account at SES.

`make simulate`, `replay` and the demo share them. The functions are in `deployed_functions`.
"""

from collections.abc import Callable, Collection
from typing import Any

from bouncer.function_limits import FEEDBACK_VISIBILITY_S, REPLY_VISIBILITY_S, VISIBILITY_TIMEOUT_S
from bouncer_sim.fake_ses.outbox import Outbox
from bouncer_sim.fake_ses.ses_account import Account
from bouncer_sim.world.dynamodb_service import DynamoDbService
from bouncer_sim.world.fifo_queue import FifoQueue
from bouncer_sim.world.mail_service import MailService
from bouncer_sim.world.s3_service import S3Service
from bouncer_sim.world.ses_service import SesService
from bouncer_sim.world.sqs_service import SqsService
from bouncer_sim.world.ssm_service import SsmService

TABLE = "ledger"
BUCKET = "revisions"
MAIL_BUCKET = "mails"
QUEUE = "queue"
DEAD_LETTERS = "dead_letters"
EVENTS = "events"
LOST_EVENTS = "lost_events"
REPLIES = "replies"
DEAD_REPLIES = "dead_replies"
REPLIES_ARN = f"arn:aws:sqs:us-east-1:111122223333:{REPLIES}"
REPLIES_URL = f"https://simulated.amazonaws.com/{REPLIES}"
DEAD_REPLIES_URL = f"https://simulated.amazonaws.com/{DEAD_REPLIES}"
SET = "ses-auto-bouncer-world"
EVENTS_ARN = f"arn:aws:sqs:us-east-1:111122223333:{EVENTS}"
EVENTS_URL = f"https://simulated.amazonaws.com/{EVENTS}"
QUEUE_ARN = f"arn:aws:sqs:us-east-1:111122223333:{QUEUE}"
QUEUE_URL = f"https://simulated.amazonaws.com/{QUEUE}"
DEAD_LETTER_URL = f"https://simulated.amazonaws.com/{DEAD_LETTERS}"

_DAY_S = 86_400
_RETENTION_S = 7 * _DAY_S
_DEAD_RETENTION_S = 14 * _DAY_S
_DEAD_VISIBILITY_S = 30
_MOST_RECEIVES = 1000
_MOST_EVENT_RECEIVES = 480


class DeployedServices:
    """The services by the names of their clients; `now` is the time in seconds since the epoch.

    `mails` is S3 too: troubles of the mail bucket are not those of the revisions. `verified` are
    SES's identities. Bounces are written to the outbox, if there is one.
    """

    def __init__(
        self, now: Callable[[], float], *, verified: Collection[str], outbox: Outbox | None = None
    ) -> None:
        self.account = Account(verified, configuration_sets=[SET])
        self.ledger = DynamoDbService(now)
        self.parameters = SsmService(now)
        self.bucket = S3Service(now)
        self.mails = S3Service(now)
        self.dead_letters = FifoQueue(
            DEAD_LETTERS, now=now, visibility_s=_DEAD_VISIBILITY_S, retention_s=_DEAD_RETENTION_S
        )
        self.queue = FifoQueue(
            QUEUE,
            now=now,
            visibility_s=VISIBILITY_TIMEOUT_S,
            retention_s=_RETENTION_S,
            dead_letters=self.dead_letters,
            most_receives=_MOST_RECEIVES,
        )
        self.lost_events = FifoQueue(
            LOST_EVENTS, now=now, visibility_s=_DEAD_VISIBILITY_S, retention_s=_DEAD_RETENTION_S
        )
        self.events = FifoQueue(  # each message a group of its own, as in a standard queue
            EVENTS,
            now=now,
            visibility_s=FEEDBACK_VISIBILITY_S,
            retention_s=_DEAD_RETENTION_S,
            dead_letters=self.lost_events,
            most_receives=_MOST_EVENT_RECEIVES,
        )
        self.dead_replies = FifoQueue(
            DEAD_REPLIES, now=now, visibility_s=_DEAD_VISIBILITY_S, retention_s=_DEAD_RETENTION_S
        )
        self.replies = FifoQueue(
            REPLIES,
            now=now,
            visibility_s=REPLY_VISIBILITY_S,
            retention_s=_RETENTION_S,
            dead_letters=self.dead_replies,
            most_receives=_MOST_RECEIVES,
        )
        self.ses = SesService(self.account, now=now, outbox=outbox)
        self.by_name: dict[str, Any] = {
            "dynamodb": self.ledger,
            "sqs": SqsService(
                self.queue,
                self.dead_letters,
                self.events,
                self.lost_events,
                self.replies,
                self.dead_replies,
            ),
            "ses": self.ses,
            "mail": MailService(self.account, now=now, outbox=outbox),
            "s3": self.bucket,
            "mails": self.mails,
            "ssm": self.parameters,
        }
