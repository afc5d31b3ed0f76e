"""Settings of an organization that are refused, each with the beginning of its sentence."""

from typing import Any

_ID = "key/1234abcd-12ab-34cd-56ef-1234567890ab"
_KEY = f"arn:aws:kms:eu-west-1:111122223333:{_ID}"
_HERE = {"region": "eu-west-1", "account": "111122223333"}
_POLICY = "arn:aws:iam::111122223333:policy"


REFUSED_OF_ORGANIZATION: list[tuple[dict[str, Any], str]] = [
    *(
        ({"kms_key": arn}, f'kms_key: found "{arn[:30]}')
        for arn in (
            "alias/mail",
            "arn:aws:kms:eu-west-1:111122223333:alias/mail",
            f"arn:aws:kms::111122223333:{_ID}",
            f"arn:aws:sqs:eu-west-1:111122223333:{_ID}",
            f"arn:aws:kms:eu-west-1:111122223333:{_ID}\n",
            f"arn:aws:kms:eu-west-1:1111:{_ID}",
            f"arn:aws-cn:kms:eu-west-1:111122223333:{_ID}",
            f"arn:aws:kms:us-gov-west-1:111122223333:{_ID}",
        )
    ),
    (
        {**_HERE, "kms_key": f"arn:aws:kms:us-east-1:111122223333:{_ID}"},
        (
            'kms_key: found "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56..."'
            ", expected an ARN of region eu-west-1, where this deployment is"
        ),
    ),
    (
        {
            "kms_key": f"arn:aws:kms:us-east-1:111122223333:{_ID}",
            "alarm_topic": "arn:aws:sns:eu-west-1:111122223333:alarms",
        },
        (
            'alarm_topic: found "arn:aws:sns:eu-west-1:111122223333:alarms", expected an ARN of '
            "region us-east-1, as in context.bouncer.kms_key"
        ),
    ),
    ({"former_kms_keys": ["x"]}, 'former_kms_keys[0]: found "x", expected the ARN of a key'),
    ({"former_kms_keys": [_KEY, _KEY]}, "former_kms_keys: found one twice, expected each key once"),
    (
        {"former_kms_keys": [f"{_KEY[:-1]}{n}" for n in range(6)]},
        "former_kms_keys: found 6, expected at most 5 keys",
    ),
    (
        {"kms_key": _KEY, "former_kms_keys": [_KEY]},
        (
            'former_kms_keys: found "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-'
            '56...", expected other keys than kms_key'
        ),
    ),
    (
        {"region": "us-east-1", "former_kms_keys": [_KEY]},
        'former_kms_keys[0]: found "arn:aws:kms:eu-west-1:',
    ),
    (
        {"alarm_topic": "arn:aws:sns:eu-west-1:111122223333:alarms.fifo"},
        (
            'alarm_topic: found "arn:aws:sns:eu-west-1:111122223333:alarms.fifo", expected the ARN '
            "of a standard SNS topic"
        ),
    ),
    (
        {"permissions_boundary": "developer-boundary"},
        'permissions_boundary: found "developer-boundary", expected the ARN of a managed policy',
    ),
    (
        {**_HERE, "permissions_boundary": f"{_POLICY.replace('1111', '4444')}/b"},
        (
            'permissions_boundary: found "arn:aws:iam::444422223333:policy/b", expected an ARN of '
            "account 111122223333, where this deployment is"
        ),
    ),
    (
        {"region": "cn-north-1", "permissions_boundary": f"{_POLICY}/b"},
        f'permissions_boundary: found "{_POLICY}/b", expected an ARN of partition aws-cn, wh',
    ),
    ({"tags": {"aws:x": "y"}}, 'tags."aws:x": found key aws:x, expected a key that does not beg'),
    ({"tags": {"AWS:x": "y"}}, 'tags."AWS:x": found key AWS:x, expected a key that does not beg'),
    ({"tags": {"a": "b", "A": "b"}}, "tags.A: found a and A, expected keys that differ in more"),
    ({"tags": {"a": ""}}, 'tags.a: found "", expected text in quotes: letters, digits, blanks'),
    ({"tags": {"a": 3}}, "tags.a: found 3, expected text in quotes: letters, digits, blanks and"),
    ({"tags": {"a": " b"}}, 'tags.a: found " b", expected text in quotes: letters, digits,'),
    ({"tags": {"a": "x" * 257}}, 'tags.a: found "xxx'),
    ({"tags": {"a" * 129: "x"}}, "tags."),
    ({"tags": {"": "x"}}, "tags.\"\": found the tag key '', expected letters, digits, blanks and"),
    ({"tags": {"a;b": "x"}}, "tags.\"a;b\": found the tag key 'a;b', expected letters, digits,"),
    ({"tags": {f"k{n}": "x" for n in range(51)}}, "tags: found 51, expected at most 50 tags"),
    ({"tags": ["team"]}, "tags: found a list, expected a mapping of tags, such as"),
    ({"intake_concurrency": 0}, "intake_concurrency: found 0, expected a number of executions, 1"),
    ({"intake_concurrency": 10**6}, "intake_concurrency: found 1000000, expected a number of"),
    ({"termination_protection": "yes"}, 'termination_protection: found "yes", expected true or'),
    ({"account": 111122223333}, "account: found 111122223333, expected an account of 12 digits"),
    ({"region": "Europe"}, 'region: found "Europe", expected a region such as eu-west-1'),
]
