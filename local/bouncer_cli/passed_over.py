"""Counts the files in folders that are not mails, for one line at the end of a replay."""

from dataclasses import dataclass, field

_NAMED = 3


@dataclass(slots=True)
class PassedOver:
    """The number of files that were not read, and the names of the first ones."""

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, source: str) -> None:
        """Count a file."""
        self.count += 1
        if len(self.names) < _NAMED:
            self.names.append(source)

    def __str__(self) -> str:
        """Return the line, or nothing if no file was passed over."""
        if not self.count:
            return ""
        names = ", ".join(self.names) + (", ..." if self.count > len(self.names) else "")
        if self.count == 1:
            return f"1 file is not a mail and was passed over: {names}"
        return f"{self.count} files are not mails and were passed over: {names}"
