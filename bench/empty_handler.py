"""The floor of a cold start: a handler that imports nothing and decides nothing."""


def handler(event: object, context: object) -> dict[str, str]:  # noqa: ARG001  # Lambda's
    """Let every mail go on."""
    return {"disposition": "CONTINUE"}
