"""The CloudFormation stack of a deployment: whether it is there, how it is, what it consists of."""

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
_NEXT = {
    "ROLLBACK_COMPLETE": "mend the cause and run cdk deploy, which takes it away first",
    "CREATE_FAILED": "mend the cause, run cdk destroy, then cdk deploy",
    "ROLLBACK_FAILED": "mend the cause, run cdk destroy, then cdk deploy",
    "DELETE_FAILED": "mend the cause and run cdk destroy again",
    "UPDATE_ROLLBACK_FAILED": "then let it go on (aws cloudformation continue-update-rollback), as "
    "docs/deploy.md#the-senders-identity says; it can't be deployed before",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a stack: `name` is the physical one."""

    kind: str
    logical: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as CloudFormation knows it; no `status` means there is none, or none to be seen.

    It is `deployed`, or `pending`, or `hidden`: nobody may know.
    """

    name: str
    status: str | None = None
    hidden: bool = False
    resources: tuple[Resource, ...] = ()

    @property
    def deployed(self) -> bool:
        """There surely is one, with all that belongs to it."""
        return self.status is not None and self.status not in (*_GONE, *_UNFINISHED)

    @property
    def pending(self) -> bool:
        """What it makes is still to come: there is none, or one not made yet or half gone."""
        return not self.deployed and not self.hidden

    @property
    def absent(self) -> bool:
        """There surely is none."""
        return self.pending and self.status not in _UNFINISHED

    def names(self, *kinds: str) -> list[str]:
        """The physical names of all resources of these types."""
        return [resource.name for resource in self.resources if resource.kind in kinds]


def find_stack(account: Account, name: str) -> tuple[Stack, Findings]:
    """The stack, and what is to be said of it."""
    try:
        stack = _read(account, name)
    except UnavailableError as error:
        found = f"could not be checked: {error}; nor are functions, queues, ledger and alarms"
        return Stack(name=name, hidden=True), iter([warning(_CHECK, found, error.next_step)])
    return stack, _judge(stack)


def _read(account: Account, name: str) -> Stack:
    try:
        stacks = account.ask("cloudformation", "describe_stacks", StackName=name).get("Stacks", [])
        status = stacks[0]["StackStatus"] if stacks else _NOT_YET
        if status == _NOT_YET:
            return Stack(name=name)
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
            _CHECK, f"{stack.name} is not deployed", "mend what is below, then run cdk deploy"
        )
    elif status == "UPDATE_ROLLBACK_COMPLETE":
        yield warning(
            _CHECK,
            f"{stack.name}: the last update was rolled back",
            "read the stack's events, mend the cause and run cdk deploy",
        )
    elif status in _NEXT or status.endswith("FAILED"):
        remedy = _NEXT.get(status, "mend the cause and run cdk deploy")
        yield problem(_CHECK, f"{stack.name} is {status}", f"read the stack's events, {remedy}")
    elif status.endswith("IN_PROGRESS"):
        yield warning(_CHECK, f"{stack.name} is {status}", "wait until it is done and look again")
    else:
        yield ok(_CHECK, f"{stack.name} is {status}, {len(stack.resources)} resources")
