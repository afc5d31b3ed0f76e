"""Asks the publisher to run soon, because a rule is braked: the intake then hears of it in seconds.

It runs every minute anyway and reads the ledger then, so nothing depends on this call.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bouncer.errors import BouncerError
from bouncer.publishing.occasion import PUBLISH, Scope

CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})

_EVENT = json.dumps({PUBLISH: str(Scope.SETTINGS)})  # with them goes what is braked


class FunctionsClient(Protocol):
    """A client of Lambda, as boto3 has it."""

    @property
    def invoke(self) -> Callable[..., Mapping[str, Any]]:
        """Invoke a function."""


class PromptError(BouncerError):
    """The publisher can't be asked."""


class PublisherPrompt:
    """The publisher, to be asked; a client is made when it is needed first, as it seldom is.

    Without the name of a `function`, as in moments of an upgrade, nobody is asked.
    """

    def __init__(self, connect: Callable[[], FunctionsClient], function: str) -> None:
        self._connect = connect
        self._function = function

    def ask(self) -> None:
        """Ask it to run, and do not wait for it; raises `PromptError`."""
        if not self._function:
            return
        try:
            self._connect().invoke(
                FunctionName=self._function, InvocationType="Event", Payload=_EVENT
            )
        except (ClientError, BotoCoreError) as error:
            raise PromptError(f"the publisher can't be asked to run: {error}") from error
