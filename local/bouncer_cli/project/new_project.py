"""Makes a folder to deploy from: looks into the account, chooses settings, writes the files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bouncer_cli.commands.usage import UsageError
from bouncer_cli.project.package_origin import package_origin
from bouncer_cli.project.project_account import KnownAccount, is_region, look_into_account
from bouncer_cli.project.project_files import project_files
from bouncer_cli.project.project_folder import leftovers, write_folder
from bouncer_cli.project.project_settings import ProjectSettings, Wishes, project_settings
from bouncer_infra.deployment_settings import DEFAULT_NAME, full_name


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """A folder that is complete; `written` of its `files` were not there before."""

    folder: Path
    files: int
    written: int
    settings: ProjectSettings
    known: KnownAccount
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what `--format json` promises."""
        return {
            "folder": str(self.folder),
            "files": self.files,
            "written": self.written,
            "deployment": self.settings.deployment,
            "region": self.known.region,
            "account": self.known.account,
            "recipients": self.settings.recipients,
            "bounce_sender": self.settings.bounce_sender,
            "rule_set": self.settings.context.get("rule_set"),
            "creates_rule_set": self.settings.context.get("create_rule_set", False),
            "remarks": list(self.remarks),
        }


def make_project(name: str, wishes: Wishes, *, region: str | None) -> NewProject:
    """Write the folder of this name; raises `BouncerError`, and then nothing is written.

    `region` None is that of the environment or AWS profile.
    """
    if not name:
        raise UsageError("DIR: found nothing, expected the name of a folder")
    if region is not None and not is_region(region):
        raise UsageError(f"--region: found {region!r}, expected one such as eu-west-1")
    known = look_into_account(region, full_name(wishes.name or DEFAULT_NAME))
    settings = project_settings(wishes, known)
    folder = Path(name)
    origin = package_origin()
    files = project_files(settings, region=known.region, origin=origin)
    written = write_folder(folder, files)
    left = (f"{path}: left by a run that was killed; delete it" for path in leftovers(folder))
    return NewProject(
        folder=folder,
        files=len(files),
        written=written,
        settings=settings,
        known=known,
        remarks=(*settings.remarks, *origin.remarks, *left),
    )
