"""Mistakes planted into the code that is fuzzed: each has to be found by the target it names.

A kept input has to show it, so that the tests do not depend on chance.
"""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from bouncer import journal, journal_entry, judge
from bouncer.jobs import job, reply
from bouncer.mail import (
    header_block,
    html_text,
    message,
    mime,
    mime_header,
    rewritten_sender,
    text,
)
from bouncer.rules import document, document_parser, rejection_reader
from bouncer.sending import bounce_event, bounce_request, gate
from bouncer_cli import command_line, mail_files, outlook
from bouncer_cli.commands import terminal
from bouncer_sim.fake_ses import dsn
from tests.fuzz.judged import LOADED

Plant = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class FuzzMutant:
    """A mistake: its name, the target that must notice it, and the patch that plants it."""

    name: str
    target: str
    plant: Plant


def _replaced(owner: Any, **members: Any) -> Plant:
    return lambda: patch.multiple(owner, **members)


def _true(*_: object) -> bool:
    """Take everything for what it should be."""
    return True


def _nothing(*_: object) -> None:
    """Check nothing."""


_NOTHING = re.compile(r"(?!)")
_texts = mime_header._texts  # noqa: SLF001  # as it is without the mistake


def _first_text(parameters: Any, name: str) -> Any:
    """Read the first parameter only."""
    return _texts(list(parameters)[:1], name)


def _same(value: str, *_: object) -> str:
    return value


def _decoded(data: bytes, label: str) -> str:
    """Trust the charset that a stranger named."""
    return data.decode(label)


def _to_everybody(refusal: Any) -> dict[str, Any]:
    return {"Recipient": "everybody@example.com", "BounceType": refusal.bounce_type}


def _as_it_is(body: bytes) -> tuple[str, str, None]:
    """Send a text in whatever bits it has."""
    return body.decode("latin-1"), "7bit", None


def _whole(line: Any) -> str:
    return json.dumps(line, default=str, ensure_ascii=False)


_mail = journal.Journal.mail


def _unmasked(self: journal.Journal, judgement: Any, _: Any, **given: Any) -> None:
    """Forget the setting of addresses."""
    _mail(self, judgement, LOADED.settings, **given)


def _raise(*_: object, **__: object) -> None:
    raise LookupError


class _NeverRaisedError(Exception):
    """An error that no code raises."""


MUTANTS = (
    FuzzMutant(
        "recipients not from the envelope",
        "event",
        _replaced(message, envelope_recipients=lambda _: ("other@example.com",)),
    ),
    FuzzMutant("lines of a job not checked", "event", _replaced(job, check_line=_nothing)),
    FuzzMutant("copy not kept", "event", _replaced(judge, _stops=lambda _: True)),
    FuzzMutant("stopped without a job", "event", _replaced(judge, _jobs=lambda *_: ())),
    FuzzMutant("charset not known", "header", _replaced(mime, decode=_decoded)),
    FuzzMutant("names not joined", "header", _replaced(mime_header, _texts=_first_text)),
    FuzzMutant("number of HTML not cut", "header", _replaced(html_text, _BEYOND_UNICODE=_NOTHING)),
    FuzzMutant("header not unfolded", "header", _replaced(header_block, unfold=_same)),
    FuzzMutant(
        "sender counted in another domain",
        "address",
        _replaced(rewritten_sender, domain=lambda _: "victim.example"),
    ),
    FuzzMutant("character not escaped", "address", _replaced(text, _escape=_same)),
    FuzzMutant(
        "broken archive not told", "file", _replaced(mail_files, BadZipFile=_NeverRaisedError)
    ),
    FuzzMutant("broken document not told", "file", _replaced(outlook, _BROKEN=_NeverRaisedError)),
    FuzzMutant("value quoted as it is", "document", _replaced(document, show=str)),
    FuzzMutant(
        "placeholder not checked",
        "document",
        _replaced(rejection_reader, _placeholders=lambda _: []),
    ),
    FuzzMutant("depth not limited", "document", _replaced(document_parser, _DEEPEST=10**6)),
    FuzzMutant("line of a job not checked", "job", _replaced(job, check_line=_nothing)),
    FuzzMutant("text of a job not checked", "job", _replaced(job, check_text=_nothing)),
    FuzzMutant("line of a reply not checked", "job", _replaced(reply, check_line=_nothing)),
    FuzzMutant("address of a reply not checked", "job", _replaced(reply, is_recipient=_true)),
    FuzzMutant("id of a reply not checked", "job", _replaced(reply, is_message_id=_true)),
    FuzzMutant("fields of a job not checked", "job", _replaced(job, _check_fields=_nothing)),
    FuzzMutant(
        "bounce about somebody else",
        "job",
        _replaced(bounce_request, _recipient_info=_to_everybody),
    ),
    FuzzMutant("worker stumbles over a job", "job", _replaced(gate, withheld=_raise)),
    FuzzMutant(
        "transient bounce suppresses", "feedback", _replaced(bounce_event.Kind, suppresses=True)
    ),
    FuzzMutant(
        "kind of event not read", "feedback", _replaced(bounce_event, _kind=lambda *_: "permanent")
    ),
    FuzzMutant("text not encoded", "dsn", _replaced(dsn, carry=_as_it_is)),
    FuzzMutant("line not folded", "dsn", _replaced(dsn, fold=lambda _, value: value)),
    FuzzMutant("notification not written", "dsn", _replaced(dsn, write=_raise)),
    FuzzMutant("line not in ASCII", "journal", _replaced(journal_entry, encoded=_whole)),
    FuzzMutant("addresses not masked", "journal", _replaced(journal.Journal, mail=_unmasked)),
    FuzzMutant("error not described", "journal", _replaced(journal, error_text=_raise)),
    FuzzMutant("output not escaped", "command", _replaced(terminal, _lines=_same)),
    FuzzMutant("text of a mail not escaped", "command", _replaced(text, _escape=_same)),
    FuzzMutant(
        "error not told in a sentence",
        "command",
        _replaced(command_line, BouncerError=_NeverRaisedError),
    ),
)
