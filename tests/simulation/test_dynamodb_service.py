"""The simulated table evaluates expressions as moto does, and keeps client tokens as AWS does."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncer_sim.world.dynamodb_service import DynamoDbService
from tests.embedded_aws import embedded_aws

TABLE = "ledger"
NAMES = ("a", "b", "#c")
VALUES: dict[str, dict[str, Any]] = {
    ":s": {"S": "x"},
    ":t": {"S": "xy"},
    ":n": {"N": "1"},
    ":m": {"N": "10"},
    ":ss": {"SS": ["x", "z"]},
    ":ns": {"NS": ["1", "2"]},
}
# Of each attribute the values have one type: moto fails where it compares two types.
TYPES = {"a": (":s", ":t"), "b": (":n", ":m"), "c": (":ss", ":ns")}
ITEMS = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from([VALUES[each] for each in TYPES[key]]) for key in TYPES}
)

name = st.sampled_from(NAMES)
placeholder = st.sampled_from(list(VALUES))
orders = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
simple = st.one_of(
    st.tuples(st.just("a"), orders, st.sampled_from(TYPES["a"])).map(" ".join),
    st.tuples(st.just("b"), orders, st.sampled_from(TYPES["b"])).map(" ".join),
    st.tuples(name, st.sampled_from(["=", "<>"]), placeholder).map(" ".join),
    name.map("attribute_exists({})".format),
    name.map("attribute_not_exists({})".format),
    st.tuples(name, st.sampled_from([":s", ":n"])).map(lambda two: f"contains({two[0]}, {two[1]})"),
    name.map("begins_with({}, :s)".format),
)
# DynamoDB refuses parentheses around what has some already.
conditions = st.one_of(
    simple,
    simple.map("NOT {}".format),
    st.tuples(simple, st.sampled_from(["AND", "OR"]), simple).map(" ".join),
    st.tuples(simple, simple, simple).map(lambda three: "{} AND ({} OR NOT {})".format(*three)),
    st.tuples(simple, simple, simple).map(lambda three: "NOT ({} AND {}) OR {}".format(*three)),
)
clauses = {
    "SET": st.one_of(
        st.tuples(name, placeholder).map(" = ".join),
        st.tuples(name, name, placeholder).map(
            lambda three: f"{three[0]} = if_not_exists({three[1]}, {three[2]})"
        ),
        st.tuples(name, name).map(lambda two: f"{two[0]} = {two[1]} + :n"),
    ),
    "REMOVE": name,
    "ADD": st.tuples(name, st.sampled_from([":n", ":ss", ":ns"])).map(" ".join),
    "DELETE": st.tuples(name, st.sampled_from([":ss", ":ns"])).map(" ".join),
}
updates = st.sampled_from(sorted(clauses)).flatmap(
    lambda word: clauses[word].map(lambda text: f"{word} {text}")
)


@pytest.fixture(scope="module")
def moto() -> Iterator[Any]:
    """A table of moto."""
    with embedded_aws():
        yield boto3.client("dynamodb")


def request(expression: str, **more: Any) -> dict[str, Any]:
    """A request with the names and values that its expression uses, as DynamoDB wants it."""
    texts = " ".join([expression, *map(str, more.values())])
    used = {key: value for key, value in VALUES.items() if _uses(texts, key)}
    request = {"TableName": TABLE, **more}
    if used:
        request["ExpressionAttributeValues"] = used
    if "#c" in texts:
        request["ExpressionAttributeNames"] = {"#c": "c"}
    return request


def _uses(text: str, key: str) -> bool:
    return any(token.strip("(),") == key for token in text.split())


def result(ask: Callable[[], dict[str, Any]]) -> object:
    """The attributes of an answer with sets in order, or the code of the error."""
    try:
        answer = ask()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return {key: _sorted(value) for key, value in answer.get("Attributes", {}).items()}


def _sorted(value: dict[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    return {kind: sorted(content)} if isinstance(content, list) else value


@settings(max_examples=150)
@given(item=ITEMS, condition=conditions)
def test_conditions_are_those_of_moto(moto: Any, item: dict[str, Any], condition: str) -> None:
    """A put on a condition is done or refused by both."""
    old, new = {"id": {"S": "k"}, **item}, {"id": {"S": "k"}, "done": {"S": "yes"}}
    service = DynamoDbService(lambda: 0.0)
    service.put_item({"Item": old})
    moto.put_item(TableName=TABLE, Item=old)
    put = request(condition, Item=new, ConditionExpression=condition, ReturnValues="ALL_OLD")
    assert result(lambda: service.put_item(put)) == result(lambda: moto.put_item(**put))


@settings(max_examples=150)
@given(item=ITEMS, update=updates, wanted=st.sampled_from(["ALL_NEW", "ALL_OLD"]))
def test_updates_are_those_of_moto(
    moto: Any, item: dict[str, Any], update: str, wanted: str
) -> None:
    """An update changes the same attributes to the same values, or is refused by both."""
    old = {"id": {"S": "k"}, **item}
    service = DynamoDbService(lambda: 0.0)
    service.put_item({"Item": old})
    moto.put_item(TableName=TABLE, Item=old)
    change = request(update, Key={"id": {"S": "k"}}, UpdateExpression=update, ReturnValues=wanted)
    assert result(lambda: service.update_item(change)) == result(lambda: moto.update_item(**change))


def test_an_update_returns_the_attributes_that_it_names() -> None:
    """UPDATED_OLD and UPDATED_NEW have them unchanged as well, which moto leaves out."""
    service = DynamoDbService(lambda: 0.0)
    service.put_item({"Item": {"id": {"S": "k"}, "a": {"S": "x"}, "b": {"S": "y"}}})
    change = request("SET a = :s", Key={"id": {"S": "k"}}, UpdateExpression="SET a = :s")
    for wanted in ("UPDATED_OLD", "UPDATED_NEW"):
        answer = service.update_item({**change, "ReturnValues": wanted})
        assert answer["Attributes"] == {"a": {"S": "x"}}


def put(key: str, **write: Any) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": {"id": {"S": key}}, **write}}


def test_a_transaction_is_done_whole_or_not_at_all() -> None:
    """One failing condition cancels all writes, and each has its reason."""
    service = DynamoDbService(lambda: 0.0)
    service.put_item({"Item": {"id": {"S": "k"}}})
    free = "attribute_not_exists(id)"
    with pytest.raises(ClientError) as caught:
        service.transact_write_items(
            {"TransactItems": [put("new"), put("k", ConditionExpression=free)]}
        )
    reasons = caught.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert set(service.items) == {"k"}


def test_a_client_token_makes_a_repeat_the_same_write_for_ten_minutes() -> None:
    """The repeat succeeds and changes nothing; another request is refused; later it is new."""
    now = 0.0
    service = DynamoDbService(lambda: now)
    write = {"TransactItems": [put("k", ConditionExpression="attribute_not_exists(id)")]}
    service.transact_write_items({**write, "ClientRequestToken": "t"})
    service.transact_write_items({**write, "ClientRequestToken": "t"})
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        service.transact_write_items({"TransactItems": [put("x")], "ClientRequestToken": "t"})
    now = 601.0
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        service.transact_write_items({**write, "ClientRequestToken": "t"})


def test_a_key_of_more_than_2048_bytes_is_refused() -> None:
    """DynamoDB answers with a ValidationException, which is not an outage."""
    service = DynamoDbService(lambda: 0.0)
    with pytest.raises(ClientError, match="ValidationException"):
        service.put_item({"Item": {"id": {"S": "x" * 2_049}}})
