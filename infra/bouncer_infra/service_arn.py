"""ARNs that settings name, read by their service, and the place that they must be in.

SES publishes to streams of its own account and region and to topics of its own region. The account
and the region of a deployment are known to CDK's command line and to the doctor, and not to a
reader of cdk.json; until then the ARNs are compared with each other.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bouncer.errors import Problem
from bouncer.rules.document import Node, show

_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):([0-9]{12}|aws):(\S+)")

# Beginnings of the regions that are not in the partition `aws` (botocore's partitions.json).
_PARTITIONS = {
    "cn": "aws-cn",
    "eusc-de": "aws-eusc",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "eu-isoe": "aws-iso-e",
    "us-isof": "aws-iso-f",
    "us-gov": "aws-us-gov",
}
# SNS API reference, CreateTopic. A FIFO topic asks each publisher for a group, and SES has none.
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,256}")
_STREAM = re.compile(r"deliverystream/[A-Za-z0-9_.-]{1,64}")  # Firehose API reference
_ROLE = re.compile(r"role/(?:[!-~]+/)?[A-Za-z0-9_+=,.@-]{1,64}")  # IAM API reference

TOPIC_EXPECTED = "the ARN of a standard topic, such as arn:aws:sns:us-east-1:111122223333:events"
STREAM_EXPECTED = (
    "archive, or the ARN of a stream, such as "
    "arn:aws:firehose:us-east-1:111122223333:deliverystream/events"
)
ROLE_EXPECTED = "the ARN of a role, such as arn:aws:iam::111122223333:role/events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The place of a deployment, as far as it is known."""

    partition: str | None = None
    region: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedArn:
    """An ARN in a document at `place`; `here` if it must be of the deployment's account."""

    place: str
    arn: str
    here: bool

    @property
    def parts(self) -> dict[str, str]:
        """The partition, and the region and the account where they must be the deployment's."""
        _, partition, _, region, account, _ = self.arn.split(":", 5)
        found = {"partition": partition, "region": region, "account": account if self.here else ""}
        return {word: part for word, part in found.items() if part}


def arn_reader(
    service: str, resource: re.Pattern[str], expected: str, *, regional: bool = True
) -> Callable[[Node], str | None]:
    """Return the reader of an ARN, of a region's own partition unless the service has none."""

    def read(node: Node) -> str | None:
        match = _ARN.fullmatch(node.value) if isinstance(node.value, str) else None
        if match and match[2] == service and resource.fullmatch(match[5]):
            partition, region = match[1], match[3]
            if bool(region) is regional and (not region or partition == partition_of(region)):
                return match[0]
        node.fault(expected)
        return None

    return read


topic_arn = arn_reader("sns", _TOPIC, TOPIC_EXPECTED)
stream_arn = arn_reader("firehose", _STREAM, STREAM_EXPECTED)
role_arn = arn_reader("iam", _ROLE, ROLE_EXPECTED, regional=False)


def partition_of(region: str) -> str:
    """Return the partition of a region: that of `us-gov-west-1` is `aws-us-gov`."""
    return _PARTITIONS.get("-".join(region.split("-")[:-2]), "aws")


def misplaced(arns: Iterable[NamedArn], home: Home, *, document: str) -> tuple[Problem, ...]:
    """Return a problem for each ARN that can't be of this deployment.

    What is not known of `home` is taken from the first ARN that says it.
    """
    known = {
        word: (part, "where this deployment is")
        for word in ("partition", "region", "account")
        if (part := getattr(home, word))
    }
    problems = []
    for named in arns:
        for word, part in named.parts.items():
            wanted, reason = known.setdefault(word, (part, f"as in {named.place}"))
            if part != wanted:
                problems.append(
                    Problem(
                        document=document,
                        place=named.place,
                        line=None,
                        found=show(named.arn),
                        expected=f"an ARN of {word} {wanted}, {reason}",
                    )
                )
                break
    return tuple(problems)
