"""A condition that a deployment watches for, as a value."""

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """An alarm: `key` is the last part of its name and the anchor of its section.

    A period breaches from `threshold` on, or only `above` or `below` it. The alarm is in ALARM if
    `breaches` of the last `periods` breach: one of three by default: metrics arrive late, and
    CloudWatch does not re-evaluate a period that it has filled with 0 (CloudWatch User Guide,
    "Using metric math", FILL).
    """

    key: str
    says: str
    measure: cloudwatch.Metric | cloudwatch.MathExpression
    threshold: float = 1
    above: bool = False
    below: bool = False
    breaches: int = 1
    periods: int = 3
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
