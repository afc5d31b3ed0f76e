"""The publisher as a worker knows it where there is none: nobody is asked to run."""

from bouncer.publishing.publisher_prompt import FunctionsClient, PublisherPrompt


def _no_client() -> FunctionsClient:
    raise AssertionError  # never: the prompt has no name of a function


NO_PUBLISHER = PublisherPrompt(_no_client, "")
