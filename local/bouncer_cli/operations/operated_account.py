"""An account that a command may change: each failure of AWS to answer is one sentence."""

from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from bouncer.errors import BouncerError
from bouncer.function_limits import PUBLISHER_TIMEOUT_S
from bouncer_cli.doctor.account import CONFIG, TRY_AGAIN, Account, UnavailableError

# A function is waited for as long as it may run, and not invoked again meanwhile.
_INVOKING = Config(
    connect_timeout=3,
    read_timeout=PUBLISHER_TIMEOUT_S + 5,
    retries={"mode": "standard", "max_attempts": 2},
)


class OperationError(BouncerError):
    """An operation can't be done; the text says why, and the next step."""


class OperatedAccount(Account):
    """An account in one region, with calls that change something.

    The doctor asks an `Account`, which refuses every such call.
    """

    def config(self, service: str) -> Config:
        """Return the timeouts and retries of a service's client."""
        return _INVOKING if service == "lambda" else CONFIG

    def do(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to any call; it is never remembered. Raises what `ask` raises."""
        client = self.client(service)
        try:
            answer: dict[str, Any] = getattr(client, operation)(**parameters)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            raise self.meaning(service, operation, error) from error
        return answer


def sentence(error: BouncerError) -> str:
    """Return an error of an account as a sentence with its next step."""
    if not isinstance(error, UnavailableError):
        return str(error)
    again = "run this command again in a minute; if it fails again, run bouncer doctor"
    return f"{error}: {again if error.next_step == TRY_AGAIN else error.next_step}"
