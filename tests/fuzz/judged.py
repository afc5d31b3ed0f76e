"""The rules and settings by which the targets judge mail: strict rules, each way to refuse one."""

from datetime import UTC, datetime

from bouncer.operator_settings import Settings
from bouncer.rules.rule_reader import read_rule
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.loaded import Loaded

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

KEEPS_A_COPY = "200-keep"

_TEXT = "{recipient} left, {sender}; {subject} of {date}: {rule} {reference}. Grüße ‰"
_RULES = {
    "100-every-field": """
when:
  any:
    - {sender: "*x*", from: "*x*", to: "*x*", cc: "*x*", reply_to: "*x*"}
    - {subject: {regex: "x+"}, helo: "*x*", source_ip: 192.0.2.0/24}
    - {header: {x-any: {contains: x}, received: {contains: y}}, recipients: {over: 9}}
    - {from_domain: .x.example, sender_domain: x.example, spf: fail}
    - {recipient: "x@*", recipient_domain: .x.example, dmarc_policy: reject}
    - {time: {between: ["00:00", "00:01"]}, to: {ends_with: x}, subject: {contains: x}}
reject: {type: Undefined}
""",
    KEEPS_A_COPY: 'when: {recipient: "k*"}\nreject: {type: MessageTooLarge, keep_copy: true}',
    "300-drop": 'when: {recipient: "d*"}\ndrop: {}',
    "400-shadow": "mode: shadow\nwhen: {subject: {contains: a}}\nreject: {type: Undefined}",
    "450-reply": f"""
when: {{recipient: someone.else@example.com}}
reply: {{from: no-reply@bounces.example, subject: "{_TEXT}", text: "{_TEXT}"}}
""",
    "500-status": f"""
when: {{recipient: "b*"}}
reject:
  status: 5.7.1
  diagnostic: "{_TEXT}"
  message: "{_TEXT}"
  final_recipient: someone@example.org
  remote_mta: dns; mx.example.org
  last_attempt_date: true
  recipient_extension_fields: {{X-Rule: status}}
  extension_fields: {{X-All: status}}
  answer: [spam, unauthenticated, automatic, lists, truncated]
""",
    "600-type": f"""
when: {{recipient: "*"}}
reject:
  type: DoesNotExist
  message: "{_TEXT}"
  answer: [spam, unauthenticated, automatic, lists, truncated]
""",
}
RULESET = Ruleset([read_rule(name, text) for name, text in _RULES.items()])
LOADED = Loaded(RULESET, Settings(bounce_sender="mailer-daemon@bounces.example"))
