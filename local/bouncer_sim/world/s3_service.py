"""S3 as its service sees it: one bucket of objects, read, copied and written under conditions.

An ETag is the MD5 of the bytes, as S3's is for objects that are put whole: the same bytes have the
same ETag again. Source: S3 User Guide, "Conditional requests".
"""

from collections.abc import Callable, Mapping
from hashlib import md5
from io import BytesIO
from typing import Any, NamedTuple

from bouncer.sources.pointer import POINTER_KEY
from bouncer_sim.world.service_error import service_error

_NOT_MODIFIED = 304
_NOT_FOUND = 404
_PRECONDITION_FAILED = 412


class PointerWrite(NamedTuple):
    """A pointer that was written, and when."""

    at: float
    text: bytes


class S3Service:
    """Objects by key; `now` is the time in seconds.

    `written` has the key of each write that took effect, in order, and `pointers` each pointer.
    """

    def __init__(self, now: Callable[[], float] = float) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: list[str] = []
        self.pointers: list[PointerWrite] = []
        self._now = now

    def change(self, key: str, data: bytes | None) -> None:
        """Write an object as an operator does, or delete it."""
        if data is None:
            self.objects.pop(key, None)
        else:
            self.objects[key] = data

    def get_object(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object, unless it has the ETag that the caller knows."""
        text = self.objects.get(arguments["Key"])
        if text is None:
            raise _missing()
        if arguments.get("IfNoneMatch") == _etag(text):
            raise service_error("304", "Not Modified", status=_NOT_MODIFIED)
        return {"Body": BytesIO(text), "ETag": _etag(text)}

    def copy_object(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Write an object with the bytes of another one of the bucket."""
        found = self.objects.get(arguments["CopySource"].partition("/")[2])
        if found is None:
            raise _missing()
        return {"CopyObjectResult": self.put_object({"Key": arguments["Key"], "Body": found})}

    def head_object(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the facts about an object; a refusal of HEAD has no body, and so no code."""
        text = self.objects.get(arguments["Key"])
        if text is None:
            raise service_error("404", "Not Found", status=_NOT_FOUND)
        return {"ETag": _etag(text), "ContentLength": len(text)}

    def put_object(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Write an object if the condition holds."""
        key, text = arguments["Key"], arguments["Body"]
        found = self.objects.get(key)
        if "IfMatch" in arguments and found is None:
            raise _missing()
        expected = arguments.get("IfMatch")
        if expected and found is not None and _etag(found) != expected:
            raise _failed()
        if arguments.get("IfNoneMatch") == "*" and found is not None:
            raise _failed()
        self.objects[key] = text
        self.written.append(key)
        if key == POINTER_KEY:
            self.pointers.append(PointerWrite(self._now(), text))
        return {"ETag": _etag(text)}


def _etag(text: bytes) -> str:
    return f'"{md5(text, usedforsecurity=False).hexdigest()}"'


def _missing() -> Exception:
    return service_error("NoSuchKey", status=_NOT_FOUND)


def _failed() -> Exception:
    return service_error("PreconditionFailed", status=_PRECONDITION_FAILED)
