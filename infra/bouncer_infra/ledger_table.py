"""The ledger's table: states of jobs, claimed recipients and the lease, as long as a job lives."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from bouncer.function_limits import LEDGER_EXPIRES, LEDGER_KEY_NAME
from bouncer_infra.deployment_settings import DeploymentSettings


class Ledger(Construct):
    """A table with the text key `id` and the time-to-live attribute `expires`."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings) -> None:
        super().__init__(scope, id_)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(
                name=LEDGER_KEY_NAME, type=dynamodb.AttributeType.STRING
            ),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),
            time_to_live_attribute=LEDGER_EXPIRES,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=settings.ledger_recovery
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
