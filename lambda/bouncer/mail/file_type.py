"""Tells the type of a file by how it begins, whatever its name and its declared type say.

An own table: the packages for this know pictures and media well, and the files that carry malware
hardly (filetype lacks shortcuts, OLE and scripts; puremagic calls every archive a document).
"""

import re

# The first bytes, and the media type that a rule asks for.
_BEGINNINGS = (
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-executable"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/gzip"),
    (b"MSCF", "application/vnd.ms-cab-compressed"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x4c\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
    (b"%PDF", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    (b"#!", "text/x-script"),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)
_TEXTS = ((b"<!doctype html", "text/html"), (b"<html", "text/html"), (b"<svg", "image/svg+xml"))
_WEBP = re.compile(rb"RIFF....WEBP", re.DOTALL)
_ISO_PLACE, _ISO_MARK = 0x8001, b"CD001"  # ECMA-119 section 8.1
HEAD = _ISO_PLACE + len(_ISO_MARK)  # bytes of a file that are looked at


def file_type(head: bytes) -> str | None:
    """Return the media type of a file by its first bytes, or None."""
    for beginning, media_type in _BEGINNINGS:
        if head.startswith(beginning):
            return media_type
    if _WEBP.match(head):
        return "image/webp"
    text = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for beginning, media_type in _TEXTS:
        if text.startswith(beginning):
            return media_type
    return "application/x-iso9660-image" if head.startswith(_ISO_MARK, _ISO_PLACE) else None
