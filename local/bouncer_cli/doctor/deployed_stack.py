"""The CloudFormation stack of a deployment: its status and its resources."""

import re
from dataclasses import dataclass, replace

from bouncer_cli.doctor.account import Account, NotFoundError, UnavailableError
from bouncer_cli.doctor.finding import Findings, ok, problem, warning

_CHECK = "stack"
_NOT_YET = "REVIEW_IN_PROGRESS"  # a change set was made and never executed
_GONE = ("ROLLBACK_COMPLETE", "DELETE_COMPLETE")  # and all that was made with it
_UNFINISHED = (
    *("CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED"),
    *("DELETE_IN_PROGRESS", "DELETE_FAILED"),
)
_EVENTS = "read why: aws cloudformation describe-stack-events --stack-name {}"
_NEXT = {
    "ROLLBACK_COMPLETE": "remove the cause and run cdk deploy, which first deletes this stack",
    "CREATE_FAILED": "remove the cause, run cdk destroy, then cdk deploy",
    "ROLLBACK_FAILED": "remove the cause, run cdk destroy, then cdk deploy",
    "DELETE_FAILED": "remove the cause and run cdk destroy again",
    "UPDATE_ROLLBACK_FAILED": "remove the cause and run aws cloudformation "
    "continue-update-rollback, as docs/deploy.md#the-senders-identity says; only then cdk deploy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a stack; `name` is its physical id."""

    kind: str
    logical: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as CloudFormation describes it; without `status` it does not exist or is `hidden`.

    A stack is `deployed`, or `pending`, or `hidden`: CloudFormation did not say.
    """

    name: str
    status: str | None = None
    hidden: bool = False
    resources: tuple[Resource, ...] = ()

    @property
    def deployed(self) -> bool:
        """The stack exists, with all its resources."""
        return self.status is not None and self.status not in (*_GONE, *_UNFINISHED)

    @property
    def pending(self) -> bool:
        """A deployment will make the resources: the stack does not exist, or only in part."""
        return not self.deployed and not self.hidden

    @property
    def absent(self) -> bool:
        """The stack does not exist, not even in part."""
        return self.pending and self.status not in _UNFINISHED

    def names(self, *kinds: str) -> list[str]:
        """Return the physical ids of all resources of these types."""
        return [resource.name for resource in self.resources if resource.kind in kinds]

    def named(self, kind: str, logical: str) -> list[str]:
        """Return the physical ids of a type whose logical ids end in a pattern and CDK's hash."""
        wanted = re.compile(f"(?:{logical})[0-9A-F]{{8}}$")
        return [
            resource.name
            for resource in self.resources
            if resource.kind == kind and wanted.search(resource.logical)
        ]


def find_stack(account: Account, name: str) -> tuple[Stack, Findings]:
    """Return the stack and the findings about it."""
    try:
        stack = _read(account, name)
    except UnavailableError as error:
        rest = "functions, queues, ledger and alarms were not checked either"
        found = f"could not be checked: {error}; {rest}"
        return Stack(name=name, hidden=True), iter([warning(_CHECK, found, error.next_step)])
    return stack, _judge(stack)


def stack_status(account: Account, name: str) -> str | None:
    """Return the status of a stack, None if nothing of it exists; raises `UnavailableError`."""
    try:
        stacks = account.ask("cloudformation", "describe_stacks", StackName=name).get("Stacks", [])
    except NotFoundError:
        return None
    status = str(stacks[0]["StackStatus"]) if stacks else _NOT_YET
    return None if status == _NOT_YET else status


def _read(account: Account, name: str) -> Stack:
    status = stack_status(account, name)
    if status is None:
        return Stack(name=name)
    try:
        # Not DescribeStackResources, which stops at 100 (CloudFormation API reference).
        members = account.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=name
        )
    except NotFoundError:
        return Stack(name=name)
    resources = tuple(
        Resource(
            kind=member["ResourceType"],
            logical=member.get("LogicalResourceId", ""),
            name=member["PhysicalResourceId"],
        )
        for member in members
        if member.get("PhysicalResourceId") and member["ResourceStatus"] != "DELETE_COMPLETE"
    )
    stack = Stack(name=name, status=status)
    return replace(stack, resources=resources) if stack.deployed else stack


def _judge(stack: Stack) -> Findings:
    status = stack.status
    if status is None:
        yield warning(
            _CHECK,
            f"{stack.name} is not deployed",
            "resolve the problems below, then run cdk deploy",
        )
    elif status == "UPDATE_ROLLBACK_COMPLETE":
        yield warning(
            _CHECK,
            f"{stack.name}: the last update was rolled back",
            f"{_EVENTS.format(stack.name)}, remove the cause and run cdk deploy",
        )
    elif status in _NEXT or status.endswith("FAILED"):
        remedy = _NEXT.get(status, "remove the cause and run cdk deploy")
        remedy = f"{_EVENTS.format(stack.name)}, {remedy}"
        yield problem(_CHECK, f"{stack.name} is {status}", remedy)
    elif status.endswith("IN_PROGRESS"):
        yield warning(
            _CHECK,
            f"{stack.name} is {status}",
            "wait until this is done, then run bouncer doctor again",
        )
    else:
        yield ok(_CHECK, f"{stack.name} is {status}, {len(stack.resources)} resources")
