"""One SES for each test."""

import pytest

from tests.functions.account_settings.ses import Ses


@pytest.fixture
def ses() -> Ses:
    return Ses()
