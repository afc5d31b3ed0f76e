"""The findings of NIST 800-53 (revision 5) that a deployment with everything on keeps, and why.

Each rule of the pack is followed by the constructs it may name, as patterns of their paths, each
with the reason. A finding without a reason fails `test_nag.py`, and so does a reason without one.
"""

_REPEATED = "Who invokes it repeats the event: "

ACCEPTED: dict[str, dict[str, str]] = {
    "IAMNoInlinePolicy": {
        ".*": "Each policy is for one role, which it allows a few actions on resources of the same "
        "stack. A managed policy could be attached to other roles; both go with the stack.",
    },
    "LambdaInsideVPC": {
        ".*": "The functions call public endpoints of AWS by TLS and accept no connection. In a "
        "VPC every mail would depend on its endpoints and DNS as well, and the intake has seconds.",
    },
    "LambdaConcurrency": {
        "(Worker|Publisher|Feedback|Replies/Replier)/Function": "Only a mapping and a schedule "
        "invoke it: the FIFO queue has one message group, the others' mappings a maximum "
        "concurrency.",
        "(AccountSettings/Handler|Reporter)/Function": "It is invoked once in a deployment or a "
        "day.",
    },
    "LambdaDLQ": {
        "Intake/Function": "With invocation: event it has an on-failure destination, which this "
        "rule does not know; otherwise SES waits for its answer.",
        "(Worker|Feedback|Replies/Replier)/Function": f"{_REPEATED}a queue, which has dead "
        "letters.",
        "Publisher/Function": f"{_REPEATED}a queue and a schedule, the latter every minute.",
        "Reporter/Function": f"{_REPEATED}a schedule, for an hour. An alarm says that a report "
        "failed, and `bouncer report` prints it at any time.",
        "AccountSettings/Handler/Function": f"{_REPEATED}CloudFormation, which rolls back.",
    },
    "S3BucketLoggingEnabled": {
        "(Revisions|Mail|Archive).*": "The account's CloudTrail records who reads the objects: "
        "access logs would keep addresses in another bucket, for longer than this one does.",
    },
    "S3BucketReplicationEnabled": {
        "(Mail|Archive).*": "It holds people's mail and addresses, and expires: a copy elsewhere "
        "would have to be deleted as well, when somebody asks to be forgotten.",
        "Revisions.*": "The publisher makes it again from the parameters in SSM and the operator's "
        "files, and SES receives mail in the same region only.",
    },
    "S3BucketVersioningEnabled": {
        "(Mail|Archive).*": "An object is written once and expires. Versions would keep mail and "
        "addresses that were deleted.",
    },
}
