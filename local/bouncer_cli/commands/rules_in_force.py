"""The rules, lists and settings that a command judges by."""

from collections.abc import Iterable

from bouncer.publishing.list_forms import FormsInMemory
from bouncer.rules.rule import limits_of
from bouncer.rules.ruleset import Ruleset
from bouncer.sources.loaded import Loaded
from bouncer.sources.source import LISTS, RULES, SETTINGS, Documents, Source
from bouncer_cli.commands.terminal import say_lines
from bouncer_cli.commands.usage import UsageError
from bouncer_cli.deployed_settings import DeployedSettings
from bouncer_cli.documents_check import DocumentsCheck, check_documents
from bouncer_sim.clock import SystemClock, now

_LEFT_OUT = {
    RULES: "this rule is left out; the publisher keeps the form that was in force before, which "
    "--rules revision:current has",
    LISTS: "this list is left out, so that conditions that ask it are unknown; the publisher keeps "
    "the form that was in force before, which --rules revision:current has",
}


def load(source: Source) -> Loaded:
    """Return the rules and settings in force; raises `UsageError` for any invalid document.

    The publisher keeps what was in force before; here somebody can correct it at once. Doubts about
    valid rules are printed on stderr.
    """
    forms = FormsInMemory()
    found = check_documents(source.read(), now(SystemClock()), forms=forms)
    if found.problems:
        raise UsageError("\n".join(_sentences(found)))
    if not found.revision.active:
        raise UsageError("--rules: found no rule in force, expected at least one")
    _warn(found)
    return _compiled(found, forms)


def _compiled(found: DocumentsCheck, forms: FormsInMemory) -> Loaded:
    lists = forms.named_lists(found.revision.lists)
    rules = found.revision.rules
    return Loaded(
        Ruleset(rules, lists), found.settings, causes=found.causes, limits=limits_of(rules)
    )


def _sentences(found: DocumentsCheck) -> list[str]:
    return [sentence for said in found.problems.values() for sentence in said]


def _warn(found: DocumentsCheck) -> None:
    say_lines(f"warning: {warning}" for warning in found.warnings)


def load_parameters(documents: Documents, deployed: DeployedSettings) -> tuple[Loaded, list[str]]:
    """Return what parameters say, and remarks on documents that are not taken as written.

    `deployed` holds where the parameter `settings` says nothing. A refused document is left out:
    the parameters do not tell what is in force in its place. Raises `UsageError` without any rules
    or settings to judge by.
    """
    forms = FormsInMemory()
    found = check_documents(documents, now(SystemClock()), defaults=deployed.settings, forms=forms)
    remarks = [*_sentences(found), *_left_out(found.problems, documents)]
    if SETTINGS in found.problems:
        remarks.append("settings: correct the parameter, or judge by --rules revision:current")
        raise UsageError("\n".join(remarks))
    _warn(found)
    remarks.append(_settings_remark(documents, deployed))
    if not found.revision.active:
        remarks.append("--rules: found no rule in force, expected at least one")
        raise UsageError("\n".join(remarks))
    return _compiled(found, forms), remarks


def _left_out(refused: Iterable[str], documents: Documents) -> list[str]:
    """Return the sentence that says what becomes of each refused rule and list."""
    return [
        f"{documents.label(name)}: {said}"
        for name in refused
        for folder, said in _LEFT_OUT.items()
        if name.startswith(folder)
    ]


def _settings_remark(documents: Documents, deployed: DeployedSettings) -> str:
    """Return the sentence that says which settings this replay has."""
    written = documents.settings
    if deployed.source:
        over = f", with those of {written.label} over them" if written else ""
        return f"settings: those that the function {deployed.source} was deployed with{over}"
    unknown = f"not known here ({deployed.problem})"
    if written is None:
        return (
            "settings: found no parameter, so the intake has those that it was deployed with. They "
            f"are {unknown}: this replay takes mode enforce and no bounce_sender"
        )
    return (
        f"settings: those that the intake was deployed with are {unknown}: where {written.label} "
        "says nothing, this replay takes mode enforce and no bounce_sender"
    )
