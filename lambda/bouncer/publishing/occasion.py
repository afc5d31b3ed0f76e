"""The events that call the publisher, as the stack sends them and the function reads them."""

from enum import StrEnum

PUBLISH = "publish"  # the member of an event that says how much
RESOURCE_TYPE = "Custom::FirstRevision"


class Scope(StrEnum):
    """The documents that a run reads."""

    EVERYTHING = "everything"
    SETTINGS = "settings"
