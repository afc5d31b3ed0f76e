"""Writes the parameter `held`, for a function that holds sending: the breaker."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bouncer.sources.source import HELD, SourceError

_EXISTS = "ParameterAlreadyExists"


class HoldingClient(Protocol):
    """A client of SSM that can write and read a parameter by its name."""

    @property
    def put_parameter(self) -> Callable[..., Mapping[str, Any]]:
        """Write a parameter."""

    @property
    def get_parameters(self) -> Callable[..., Mapping[str, Any]]:
        """Return those parameters that exist."""


class Hold:
    """The parameter `held` below `prefix`; its method raises `SourceError`."""

    def __init__(self, client: HoldingClient, prefix: str) -> None:
        self._client = client
        self._name = f"{prefix.rstrip('/')}/{HELD}"

    def hold(self, text: str) -> str:
        """Write the parameter unless it exists, and return the text that it has then.

        A person's pause is never overwritten. The text is "" if somebody resumed meanwhile.
        """
        try:
            self._client.put_parameter(Name=self._name, Type="String", Value=text)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code != _EXISTS:
                raise SourceError(f"{self._name}: can't be written ({code})") from error
            return self._read()
        except BotoCoreError as error:
            raise self._unreachable(error) from error
        return text

    def _read(self) -> str:
        try:
            found = self._client.get_parameters(Names=[self._name])["Parameters"]
        except (ClientError, BotoCoreError) as error:
            raise self._unreachable(error) from error
        return str(found[0]["Value"]) if found else ""

    def _unreachable(self, error: Exception) -> SourceError:
        return SourceError(f"{self._name}: can't be written ({type(error).__name__})")
