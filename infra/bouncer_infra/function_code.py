"""Hands the functions' bundle to CDK, as the asset that all functions share."""

import sys
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from bouncer_infra import bundle


def function_code(architecture: str) -> lambda_.Code:
    """Return the asset that all functions share."""
    return lambda_.Code.from_asset(
        str(bundle.PACKAGE),
        asset_hash_type=AssetHashType.OUTPUT,  # a hash of all that is shipped, bytecode too
        bundling=BundlingOptions(
            # Required by CDK and never used: the local bundling always works.
            image=DockerImage.from_registry("scratch"),
            local=_LocalBundling(architecture),
        ),
    )


@jsii.implements(ILocalBundling)
class _LocalBundling:
    """CDK's way to bundle without Docker."""

    def __init__(self, architecture: str) -> None:
        self._architecture = architecture

    def try_bundle(self, output_dir: str, *, image: object = None, **_: object) -> bool:  # noqa: ARG002  # CDK's signature
        """Fill the folder; a failure ends synth with one sentence instead of asking for Docker."""
        folder = Path(output_dir)
        bundle.build(folder, self._architecture)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        megabytes = size / 1e6
        print(f"functions: {megabytes:.2f} MB unpacked for {self._architecture}", file=sys.stderr)  # noqa: T201
        return True
