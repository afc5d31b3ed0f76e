"""An account at SES: the identities it verified, its configuration sets and the mail it received.

It admits a well-formed bounce or mail or refuses it; it writes nothing and reads no clock.
"""

from collections.abc import Collection
from dataclasses import dataclass

from bouncer.sending.gate import LIFETIME
from bouncer_sim.fake_ses.outgoing_mail import OutgoingMail
from bouncer_sim.fake_ses.refusal import ErrorCode, SesError, shown
from bouncer_sim.fake_ses.send_bounce_request import BouncedRecipient, SendBounceRequest
from bouncer_sim.fake_ses.syntax import is_address, split_mailbox

_LIFETIME_S = LIFETIME.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """One mail SES received: its id, envelope, time (epoch seconds) and raw header block.

    `sender` is MAIL FROM without angle brackets, `""` for the null sender.
    """

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    received_at: float
    headers: bytes


class Account:
    """Identities, sets and received mail of one account; safe to use from several threads.

    Sending may be paused: of `paused_sets`, or if `is_paused` of all mail but bounces.
    """

    def __init__(
        self, verified: Collection[str], *, configuration_sets: Collection[str] = ()
    ) -> None:
        self._verified = {identity.lower() for identity in verified}
        self._received: dict[str, ReceivedMail] = {}
        self._sets = set(configuration_sets)
        self.paused_sets: set[str] = set()
        self.is_paused = False

    def verify(self, identity: str) -> None:
        """Count one more address or domain as verified."""
        self._verified.add(identity.lower())

    def receive(self, mail: ReceivedMail) -> None:
        """Take in a mail; one with the same id replaces the earlier."""
        self._received[mail.message_id] = mail

    def forget(self, message_id: str) -> None:
        """Let go of a mail, known or not."""
        self._received.pop(message_id, None)

    def admit(self, request: SendBounceRequest, *, at: float, region: str) -> ReceivedMail:
        """Return the original of a bounce that may be sent `at` (epoch seconds), else SesError."""
        original = self._received.get(request.original_message_id)
        # SES's own texts for these refusals are not known, but for the unverified sender.
        if original is None:
            raise _rejected(f"Message {shown(request.original_message_id)} was not received here.")
        if at - original.received_at > _LIFETIME_S:
            raise _rejected("The original message was received more than 24 hours ago.")
        if original.sender in {"", "<>"}:
            raise _rejected("The original message has the null sender; it cannot be bounced.")
        if not is_address(original.sender):
            raise _rejected(f"The original sender {shown(original.sender)} is not an address.")
        for recipient in request.recipients:
            _require_recipient(recipient, original)
        self._require_verified(request.bounce_sender, region)
        return original

    def admit_mail(self, mail: OutgoingMail, *, region: str) -> None:
        """Raise SesError for a mail that may not be sent now."""
        if self.is_paused:
            raise SesError(
                ErrorCode.ACCOUNT_PAUSED, "Email sending is disabled for the Amazon SES account."
            )
        name = mail.configuration_set
        if name and name not in self._sets:
            raise SesError(
                ErrorCode.NO_CONFIGURATION_SET, f"Configuration set <{name}> does not exist."
            )
        if name in self.paused_sets:
            raise SesError(
                ErrorCode.CONFIGURATION_SET_PAUSED,
                f"Email sending is disabled for the configuration set <{name}>.",
            )
        for identity in mail.identities:
            self._require_verified(identity, region)

    def _require_verified(self, bounce_sender: str, region: str) -> None:
        address = split_mailbox(bounce_sender)[1].lower()
        domain = address.rpartition("@")[2]
        labels = domain.split(".")
        domains = {".".join(labels[start:]) for start in range(len(labels))}
        if self._verified.isdisjoint({address, *domains}):
            raise _rejected(
                "Email address is not verified. The following identities failed the check in "
                f"region {region.upper()}: {bounce_sender}"
            )


def _require_recipient(bounced: BouncedRecipient, original: ReceivedMail) -> None:
    """Documented: either the recipient or the final recipient must be one of the original's."""
    known = {address.lower() for address in original.recipients}
    if known.isdisjoint({bounced.recipient.lower(), bounced.final_recipient.lower()}):
        raise _rejected(f"{bounced.recipient} is not a recipient of the original message.")


def _rejected(text: str) -> SesError:
    return SesError(ErrorCode.MESSAGE_REJECTED, text)
