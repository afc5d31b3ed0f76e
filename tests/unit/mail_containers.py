"""Builders of files that hold mails: a zip archive, and a message that Outlook saved."""

import io
import struct
import zipfile


def zipped(entries: dict[str, bytes]) -> bytes:
    """Return a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def outlook(name: str, content: bytes) -> bytes:
    """Return a compound file (MS-CFB) that holds one stream, in sectors of 512 bytes."""
    content = content.ljust(4096, b"\0")  # smaller streams stand elsewhere
    sectors = len(content) // 512
    end, free, fat_mark = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6),
        *(0, 1, 1, 0, 4096, end, 0, end, 0, 0),
    )
    header += struct.pack("<108I", *([free] * 108))
    chain = [fat_mark, end, *range(3, 2 + sectors), end]
    fat = struct.pack("<128I", *chain, *([free] * (128 - len(chain))))
    folder = _entry("Root Entry", 5, 1, end, 0) + _entry(name, 2, free, 2, len(content))
    return header + fat + folder + _entry("", 0, free, 0, 0) * 2 + content


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    length = len(text) + 2 if name else 0
    return struct.pack(
        "<64sHBBIII16sI8s8sIQ",
        *(text, length, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child),
        *(b"", 0, b"", b"", start, size),
    )
