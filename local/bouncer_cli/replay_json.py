"""Shows results to programs: one JSON object per line."""

import json
from typing import Any

from rich.console import Console

from bouncer.rules.ruleset import Decision
from bouncer_cli.replay import ReplyEnd, Result


def as_json(result: Result) -> dict[str, Any]:
    """Return a result in the form that `--format json` promises."""
    judgement = result.judgement
    message = judgement.message if judgement else None
    return {
        "source": result.source,
        "message_id": message.message_id if message else None,
        "sender": message.sender if message and not message.sender_unknown else None,
        "assumed": sorted(message.assumed) if message else [],
        "subject": next(iter(message.subject), None) if message else None,
        "disposition": str(judgement.disposition) if judgement else None,
        "decisions": [_decision(decision) for decision in judgement.decisions] if judgement else [],
        "bounce": {
            "status": result.bounce.status,
            "reason": result.bounce.reason,
            "recipients": list(result.bounce.recipients),
        },
        **({"replies": [_reply(end) for end in result.replies]} if result.replies else {}),
        "error": result.error,
    }


def _reply(end: ReplyEnd) -> dict[str, Any]:
    return {
        "rule": end.rule,
        "status": end.status,
        "reason": end.reason,
        "recipients": list(end.recipients),
    }


def _decision(decision: Decision) -> dict[str, Any]:
    unknown = [rule.name for rule in decision.unknown]
    passed = {rule.name: rule.passed_over for rule in decision.shadow if rule.passed_over}
    return {
        "recipient": decision.recipient,
        "action": decision.action,
        "rule": decision.rule.name if decision.rule else None,
        "shadow": [rule.name for rule in decision.shadow],
        **({"passed_over": passed} if passed else {}),
        **({"unknown": unknown} if unknown else {}),
    }


class JsonReport:
    """One JSON object per line, in ASCII."""

    def __init__(self, console: Console) -> None:
        self._write = console.file.write

    def add(self, result: Result) -> None:
        """Write one line."""
        self._write(json.dumps(as_json(result)) + "\n")

    def close(self) -> None:
        """Do nothing: every line is written."""
