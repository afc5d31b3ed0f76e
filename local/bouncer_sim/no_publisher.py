"""The publisher for a worker that has nobody to ask, as in a replay."""

from bouncer.publishing.publisher_prompt import FunctionsClient, PublisherPrompt


def _no_client() -> FunctionsClient:
    raise AssertionError  # never: the prompt has no name of a function


NO_PUBLISHER = PublisherPrompt(_no_client, "")
