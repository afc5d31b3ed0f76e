"""Answers CloudFormation's requests about custom resources, each one, and before time is up.

CloudFormation waits, for up to an hour, until a JSON document is put to a presigned URL
(CloudFormation User Guide, "Custom resource response objects"). So every error becomes an answer,
too: FAILED, with a sentence that CloudFormation shows to the operator.
"""

import json
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.error import HTTPError

from bouncer.errors import BouncerError

# The physical id of a resource whose creation failed before anything was changed. CloudFormation
# asks for its deletion all the same, and then nothing must be changed either.
NOT_CREATED = "not-created"

RESERVE_S = 45  # kept for the answer: its attempts with their pauses, and the journal
_ATTEMPT_TIMEOUT_S = 8
_PAUSES_S = (1, 2, 4, 0)  # after each attempt
_LONGEST_REASON = 1000  # the whole answer may have 4096 bytes


class AnswerError(BouncerError):
    """CloudFormation could not be answered; Lambda then calls the function once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of a request; `failure` is a sentence, None if the request was carried out."""

    physical_id: str
    failure: str | None = None


def result_of(work: Callable[[], str], *, failed_id: Callable[[], str], within_s: float) -> Result:
    """Do the work, which returns the physical id, and return its result in time, whatever happens.

    `failed_id` returns the physical id to answer with when the work fails or takes too long. The
    work runs in a thread, which is left behind when time is up: it must look at the clock itself
    before it changes anything.
    """
    results = SimpleQueue[Result]()
    Thread(target=lambda: results.put(_attempted(work, failed_id)), daemon=True).start()
    try:
        return results.get(timeout=max(within_s, 0.0))
    except Empty:
        failure = "found no answer from AWS in time, expected one; deploy again"
        return Result(physical_id=failed_id(), failure=failure)


def _attempted(work: Callable[[], str], failed_id: Callable[[], str]) -> Result:
    try:
        return Result(physical_id=work())
    except BouncerError as error:
        return Result(physical_id=failed_id(), failure=str(error))
    except Exception as error:  # noqa: BLE001  # every error becomes an answer
        failure = f"the function failed ({type(error).__name__}: {error}); see its log group"
        return Result(physical_id=failed_id(), failure=failure)


def answer(
    request: Mapping[str, Any],
    result: Result,
    *,
    left_s: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    """Put the result to the request's URL, several times if need be; raises `AnswerError`."""
    body = _body(request, result)
    for pause_s in _PAUSES_S:
        try:
            return _put(str(request["ResponseURL"]), body, min(_ATTEMPT_TIMEOUT_S, left_s()))
        except (OSError, HTTPException) as error:
            failure = error
        if left_s() <= pause_s + 1:
            break
        sleep(pause_s)
    kind = type(failure).__name__
    raise AnswerError(f"CloudFormation can't be answered ({kind}: {failure})") from failure


def _body(request: Mapping[str, Any], result: Result) -> bytes:
    members = {
        "Status": "FAILED" if result.failure else "SUCCESS",
        "Reason": one_line(result.failure or ""),
        "PhysicalResourceId": result.physical_id,
        **{key: request[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
        "NoEcho": False,
    }
    return json.dumps(members).encode()


def one_line(text: str) -> str:
    """Return a text as one line of printable ASCII, as long as an answer has room for."""
    line = " ".join(text.split())
    shown = "".join(char if " " <= char <= "~" else "?" for char in line)
    return shown if len(shown) <= _LONGEST_REASON else f"{shown[: _LONGEST_REASON - 3]}..."


def _put(url: str, body: bytes, timeout_s: float) -> None:
    if not url.startswith(("https://", "http://")):
        raise AnswerError(f"ResponseURL: found {url:.60}, expected a URL that begins with https://")
    headers = {"Content-Type": ""}  # the URL is signed for an empty one
    request = urllib.request.Request(url, body, headers, method="PUT")  # noqa: S310  # checked
    try:
        urllib.request.urlopen(request, timeout=max(timeout_s, 0.5)).close()  # noqa: S310  # checked
    except HTTPError as error:
        error.close()
        raise
