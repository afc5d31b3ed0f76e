"""Every place where a deployment keeps addresses is named: by `bouncer forget`, and by a page."""

import re
from typing import Any

import pytest

from bouncer_cli.operations.forgetting import queues
from bouncer_infra.deployment_settings_reader import read_settings
from tests.infra.conftest import MAXIMAL, MINIMAL, OTHER
from tests.infra.monitoring_parts import ROOT, Template

DAY_S = 24 * 3600
WITHOUT_ADDRESSES = {"PublisherChanges"}  # names of parameters, for an hour
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "settings"), [("minimal", {}), ("maximal", MAXIMAL), ("other", OTHER)]
)
def test_every_queue_is_named_with_its_days(
    shared: dict[str, Template], name: str, settings: dict[str, Any]
) -> None:
    """`bouncer forget` says of each queue of the template how long it keeps addresses."""
    made = {
        re.sub("[0-9A-F]{8}$", "", key): resource["Properties"]["MessageRetentionPeriod"] // DAY_S
        for key, resource in shared[name]["Resources"].items()
        if resource["Type"] == "AWS::SQS::Queue"
    }
    named = queues(read_settings({**MINIMAL, **settings}))
    assert {queue.construct: queue.days for queue in named} == {
        key: days for key, days in made.items() if key not in WITHOUT_ADDRESSES
    }
    assert set(made) > WITHOUT_ADDRESSES


def test_the_page_about_security_names_the_queues() -> None:
    """The paragraph about addresses in full has what each queue holds."""
    paragraph = SECURITY.partition("**Addresses in full**")[2].partition("\n- ")[0]
    text = " ".join(paragraph.split())
    for queue in queues(read_settings({**MINIMAL, **OTHER})):
        assert queue.holds in text
