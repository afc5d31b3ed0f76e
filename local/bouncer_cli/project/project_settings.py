"""Chooses the settings in a new cdk.json: what was asked for, else what the account has.

What neither says is a placeholder that deploys nowhere, and a remark names it.
"""

from dataclasses import dataclass
from typing import Any

from bouncer.errors import DocumentError, Problem
from bouncer.mail.address import domain, identities, mailbox_address
from bouncer_cli.commands.usage import UsageError
from bouncer_cli.project.project_account import KnownAccount
from bouncer_infra.deployment_settings import DEFAULT_NAME, full_name
from bouncer_infra.deployment_settings_reader import read_settings

PLACEHOLDER = "your-domain.example"  # nobody can have it (RFC 2606)
_LOCAL_PART = "mailer-daemon"
_MOST_NAMED = 5
_OPTIONS = {"recipients": "--domain", "bounce_sender": "--bounce-sender", "name": "--name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options of the command; () and None where they are not given."""

    domains: tuple[str, ...] = ()
    bounce_sender: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """The value of `context.bouncer`, and what is left to the reader, a sentence each."""

    context: dict[str, Any]
    remarks: tuple[str, ...]

    @property
    def deployment(self) -> str:
        """The name of the deployment."""
        return str(self.context.get("name", DEFAULT_NAME))

    @property
    def recipients(self) -> list[str]:
        """The domains whose mail is judged."""
        return list(self.context["recipients"])

    @property
    def bounce_sender(self) -> str:
        """The address that bounces come from, perhaps with a display name."""
        return str(self.context["bounce_sender"])


def project_settings(wishes: Wishes, known: KnownAccount) -> ProjectSettings:
    """Return the settings; raises `BouncerError` for an option that is wrong or missing."""
    recipients = list(_recipients(wishes, known))
    own = recipients[0].rpartition("@")[2].lstrip(".")
    sender = wishes.bounce_sender or f"{_LOCAL_PART}@{own}"
    named = {} if wishes.name is None else {"name": wishes.name}
    context = {
        **named,
        "recipients": recipients,
        "bounce_sender": sender,
        **_rule_set(full_name(wishes.name or DEFAULT_NAME), known),
        "settings": {"mode": "shadow"},
    }
    _refuse_wrong(context, wishes)
    _refuse_deployed(full_name(wishes.name or DEFAULT_NAME), known)
    remarks = (*known.remarks, *_remarks(context, known))
    return ProjectSettings(context=context, remarks=remarks)


def _recipients(wishes: Wishes, known: KnownAccount) -> tuple[str, ...]:
    if wishes.domains:
        return wishes.domains
    of_sender = domain(mailbox_address(wishes.bounce_sender or ""))
    if of_sender:
        return (of_sender,)
    if len(known.domains) > 1 and not known.receiving:
        named = ", ".join(known.domains[:_MOST_NAMED])
        more = " and more" if len(known.domains) > _MOST_NAMED else ""
        raise UsageError(
            f"--domain: found {len(known.domains)} domains that SES has verified in "
            f"{known.region} ({named}{more}), expected --domain DOMAIN for each whose mail is "
            "judged"
        )
    return known.receiving or known.domains or (PLACEHOLDER,)


def _rule_set(own: str, known: KnownAccount) -> dict[str, Any]:
    """Name the active rule set, or make one where none is; say nothing where that is unknown."""
    if known.rule_set is None:
        return {}
    if known.rule_set:
        return {"rule_set": known.rule_set}
    return {"rule_set": own, "create_rule_set": True, "activate_rule_set": True}


def _refuse_wrong(context: dict[str, Any], wishes: Wishes) -> None:
    """Raise each problem of the settings under the option that it came from."""
    try:
        read_settings(context)
    except DocumentError as error:
        keys = {_key(problem) for problem in error.problems}
        derived = not wishes.bounce_sender and "recipients" in keys
        own = [each for each in error.problems if not derived or _key(each) != "bounce_sender"]
        raise UsageError("\n".join(map(_sentence, own))) from error


def _refuse_deployed(stack: str, known: KnownAccount) -> None:
    """Raise for the name of a deployment that exists, whose settings are in another cdk.json.

    Deployed with these, it would lose what they do not say, such as the active rule set.
    """
    if known.has_stack:
        raise UsageError(
            f"--name: found the stack {stack} in {known.region}, expected a name that no stack "
            "has: deploying would change that one"
        )


def _sentence(problem: Problem) -> str:
    place = _OPTIONS.get(_key(problem), problem.place)
    return f"{place}: found {problem.found}, expected {problem.expected}"


def _key(problem: Problem) -> str:
    return problem.place.removeprefix("context.bouncer.").partition("[")[0]


def _remarks(context: dict[str, Any], known: KnownAccount) -> list[str]:
    remarks = []
    if PLACEHOLDER in context["recipients"]:
        remarks.append(
            f"cdk.json: found no verified domain, so recipients and bounce_sender have the "
            f"placeholder {PLACEHOLDER}: write yours there"
        )
    elif known.identities is not None and not _verified(context["bounce_sender"], known):
        name = domain(mailbox_address(context["bounce_sender"]))
        remarks.append(
            f"SES has not verified {name} in {known.region}: run aws sesv2 create-email-identity "
            f"--email-identity {name} --region {known.region}, and publish the records it shows"
        )
    if known.rule_set is None:
        remarks.append(
            "cdk.json: the active receipt rule set is not known: if yours is not named "
            "default-rule-set, name it there as rule_set"
        )
    if known.account is not None and known.has_stack is None:
        remarks.append(
            "cdk.json: deploying would change a stack that has its name: add --name NAME if there "
            "is one"
        )
    return remarks


def _verified(sender: str, known: KnownAccount) -> bool:
    return not (known.identities or frozenset()).isdisjoint(
        identities(mailbox_address(sender).lower())
    )
