"""Reads the mail out of a message that Outlook saved (.msg, [MS-OXMSG]).

Its transport headers are those that the mail was received with; the body is not read.
"""

import io
import struct

import olefile

# PidTagTransportMessageHeaders, in UTF-16 and in the code page of the machine that saved it.
_UNICODE = "__substg1.0_007D001F"
_BYTES = "__substg1.0_007D001E"
# olefile raises these for files that are made to be broken.
_BROKEN = (OSError, ValueError, TypeError, LookupError, struct.error, RecursionError, MemoryError)


class OutlookError(ValueError):
    """The file is not a received mail; the text says why."""


def read_outlook(raw: bytes) -> bytes:
    """Return the mail with its headers alone; raise `OutlookError` if it has none."""
    try:
        with olefile.OleFileIO(io.BytesIO(raw)) as file:
            headers = _headers(file)
    except _BROKEN as error:
        raise OutlookError(
            "found a broken Office document, expected a message that Outlook saved (.msg)"
        ) from error
    if not headers.strip():
        raise OutlookError(
            "found an Office document without headers of a mail, expected a message that Outlook "
            "received and saved (.msg): open it in Outlook and save it as .eml, if it is one"
        )
    return headers.encode("utf-8", "replace").strip() + b"\r\n\r\n"


def _headers(file: olefile.OleFileIO) -> str:
    if file.exists(_UNICODE):
        return str(file.openstream(_UNICODE).read().decode("utf-16-le", "replace"))
    if file.exists(_BYTES):
        return str(file.openstream(_BYTES).read().decode("cp1252", "replace"))
    return ""
