"""The events that SES handed over without waiting and that the intake did not process.

Lambda tries such an event three times, and keeps one that it can't deliver to the function for six
hours (Lambda Developer Guide, "Error handling for asynchronous invocation"). Then it would drop it;
here it goes to a queue. A mail whose event is there went on without being judged.
"""

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class FailedEvents(Construct):
    """A queue for what `function` did not process; Lambda writes to standard queues only."""

    def __init__(self, scope: Construct, id_: str, *, function: lambda_.Function) -> None:
        super().__init__(scope, id_)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        function.configure_async_invoke(on_failure=destinations.SqsDestination(self.queue))
        Validations.of(self.queue).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3",
                reason="It is itself where failed events go: nothing but an operator reads it.",
            )
        )
