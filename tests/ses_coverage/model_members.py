"""The members of SES's classic interface (2010-12-01), as botocore's model has them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.session import get_session

_SENDING = ("SendBounce", "SendEmail", "SendRawEmail")
_SETS = "ConfigurationSet"


@cache
def _model() -> Any:
    return get_session().get_service_model("ses")


def operations() -> list[str]:
    """Return the operations around bouncing: the three that send, and those of sets."""
    names = _model().operation_names
    return [*_SENDING, *(name for name in sorted(names) if _SETS in name)]


def members(operation: str) -> list[str]:
    """Return what is asked and answered, by path: `Message.Subject.Data`, `-> MessageId`."""
    model = _model().operation_model(operation)
    asked = _paths(model.input_shape, ()) if model.input_shape else ()
    answered = _paths(model.output_shape, ()) if model.output_shape else ()
    return [*asked, *(f"-> {path}" for path in answered)]


def _paths(shape: Any, path: tuple[str, ...]) -> Iterator[str]:
    if shape.type_name == "list":
        yield from _paths(shape.member, path)
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from _paths(member, (*path, name))
    else:
        yield ".".join(path)
