"""Encrypts what a deployment stores with a key of one's own (`kms_key`), and lets its roles use it.

What was stored with an earlier key stays encrypted with that one: roles may still decrypt with the
`former_kms_keys`.

It goes by the type of a resource and by the actions of a role: a new queue, or a new permission on
one, needs no line here. The policy of the key is not ours to write; `key_policy` has its needs.
"""

from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

_RESULTS = "WorkGroupConfiguration.ResultConfiguration"
_DECRYPT, _GENERATE = "kms:Decrypt", "kms:GenerateDataKey"

# The calls of KMS that a service makes for a role with such an action (the services' guides: SQS
# "Key management", S3 "Using server-side encryption with AWS KMS keys", DynamoDB "Encryption at
# rest: how it works").
_MADE_FOR: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "sqs:SendMessage": ("sqs", (_DECRYPT, _GENERATE)),
    "sqs:ReceiveMessage": ("sqs", (_DECRYPT,)),
    "s3:GetObject": ("s3", (_DECRYPT,)),
    "s3:PutObject": ("s3", (_GENERATE,)),
    "dynamodb:": ("dynamodb", (_DECRYPT,)),
}


def encrypt(scope: Construct, key_arn: str | None, former: Sequence[str]) -> None:
    """Encrypt what `scope` has with a key, and allow its roles what they then need.

    Without `key_arn` AWS's own keys encrypt, and roles may decrypt with the `former` ones alone.
    """
    made = scope.node.find_all()
    own = [key_arn] if key_arn else []
    for key in own:
        for each in made:
            _set_key(each, key)
    keys = {_DECRYPT: [*own, *former], _GENERATE: own}
    functions = [each for each in made if isinstance(each, lambda_.Function)]
    running = {each.role.node.path for each in functions if each.role}
    for each in made:
        if isinstance(each, iam.Role):
            _may_use(each, keys, environment=each.node.path in running)


def _set_key(each: IConstruct, key_arn: str) -> None:
    match each:
        case sqs.CfnQueue():
            each.kms_master_key_id = key_arn
            each.sqs_managed_sse_enabled = False
        case sns.CfnTopic():
            each.kms_master_key_id = key_arn
        case logs.CfnLogGroup():
            each.kms_key_id = key_arn
        case lambda_.CfnFunction():
            each.kms_key_arn = key_arn
        case s3.CfnBucket():
            each.bucket_encryption = _for_bucket(key_arn)
        case firehose.CfnDeliveryStream():
            input_ = firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty
            each.delivery_stream_encryption_configuration_input = input_(
                key_type="CUSTOMER_MANAGED_CMK", key_arn=key_arn
            )
        case dynamodb.CfnGlobalTable():
            each.sse_specification = dynamodb.CfnGlobalTable.SSESpecificationProperty(
                sse_enabled=True, sse_type="KMS"
            )
            each.add_property_override("Replicas.0.SSESpecification.KMSMasterKeyId", key_arn)
        case athena.CfnWorkGroup():
            results = {"EncryptionOption": "SSE_KMS", "KmsKey": key_arn}
            each.add_property_override(f"{_RESULTS}.EncryptionConfiguration", results)


def _for_bucket(key_arn: str) -> s3.CfnBucket.BucketEncryptionProperty:
    """Return the default encryption; with a bucket key S3 asks KMS once for many objects."""
    return s3.CfnBucket.BucketEncryptionProperty(
        server_side_encryption_configuration=[
            s3.CfnBucket.ServerSideEncryptionRuleProperty(
                bucket_key_enabled=True,
                server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                    sse_algorithm="aws:kms", kms_master_key_id=key_arn
                ),
            )
        ]
    )


def _may_use(role: iam.Role, keys: Mapping[str, list[str]], *, environment: bool) -> None:
    """Allow a role to use the keys through the services that it calls, and by no call of its own.

    `keys` has those that may be used by each call of KMS. `environment` is set for a function's
    role: Lambda decrypts its environment.
    """
    needed = {_DECRYPT: {"lambda"}} if environment else {}
    for action in _actions(role):
        for start, (service, calls) in _MADE_FOR.items():
            if action.startswith(start):
                for call in calls:
                    needed.setdefault(call, set()).add(service)
    region = Stack.of(role).region
    for call, services in sorted(needed.items()):
        if not keys[call]:
            continue
        through = [f"{service}.{region}.*" for service in sorted(services)]  # then AWS's suffix
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[call],
                resources=keys[call],
                conditions={"StringLike": {"kms:ViaService": through}},
            )
        )


def _actions(role: iam.Role) -> Iterator[str]:
    """Yield the actions that the policies of a role allow."""
    stack = Stack.of(role)
    for each in role.node.find_all():
        if isinstance(each, iam.CfnRole):
            documents = [entry["policyDocument"] for entry in stack.resolve(each.policies) or ()]
        elif isinstance(each, iam.CfnPolicy):
            documents = [stack.resolve(each.policy_document)]
        else:
            continue
        for document in documents:
            for statement in document["Statement"]:
                actions = statement["Action"]
                yield from [actions] if isinstance(actions, str) else actions
