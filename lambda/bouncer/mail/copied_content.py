"""The content of a mail that is read from its stored copy, as soon as a rule first asks for it."""

from functools import cached_property
from typing import TYPE_CHECKING

from bouncer.mail.field_values import Values
from bouncer.mail.stored_copy import StoredCopy, StoredCopyError

if TYPE_CHECKING:  # what reads contents takes time to import, and few mails need it
    from bouncer.mail.content import Content

# Bytes: SES takes 40 MiB at most (SES Developer Guide, "quotas"), and writes headers above them.
_MOST = 41_943_040 + 1_048_576
_UNKNOWN = Values((), whole=False)


class CopiedContent:
    """The content of one mail, as `Content` has it; all is unknown if the copy can't be read.

    `unread` is the error for which it could not, None if it was read or not asked for.
    """

    def __init__(self, copy: StoredCopy) -> None:
        self._copy = copy
        self.unread: StoredCopyError | None = None

    def of(self, field: str) -> Values:
        """Return the values of a field of the rule language that is read from the content.

        A copy that is too large to be read still has a size.
        """
        if self._content:
            return self._content.of(field)
        size = self.unread.size if self.unread and field == "size" else None
        return _UNKNOWN if size is None else Values((size,), whole=True)

    @property
    def bounds(self) -> tuple[str, ...]:
        """The bounds that were reached; `copy` if the copy could not be read."""
        if self.unread:
            return ("copy",)
        read = self.__dict__.get("_content")
        return read.bounds if read else ()

    @cached_property
    def _content(self) -> "Content | None":
        from bouncer.mail.content import Content  # noqa: PLC0415  # few mails need it

        try:
            return Content(self._copy.whole(_MOST))
        except StoredCopyError as error:
            self.unread = error
            return None
