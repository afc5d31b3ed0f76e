"""Cuts from the libraries' machine code what only debuggers read.

Linux loads the segments of a file. Behind them stand symbols and source lines, two thirds of what
PyYAML's and RE2's wheels have, and the table of sections, which lists them. Source: ELF-64 Object
File Format, version 1.5, sections 3 (file header) and 8 (program header table).
"""

import struct

_IDENTITY = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_SEGMENT_TABLE = struct.Struct("<32xQ14xHH")  # in the file header: place, size and number of rows
_SEGMENT = struct.Struct("<8xQ16xQ")  # of a row: place of the segment, and its bytes
_SECTION_TABLE_PLACE = slice(40, 48)  # in the file header; zeros stand for its absence
_SECTION_TABLE_SIZE = slice(60, 64)


def without_symbols(code: bytes) -> bytes:
    """Return an ELF file that ends with its last segment; anything else as it is."""
    if not code.startswith(_IDENTITY):
        return code
    place, size, count = _SEGMENT_TABLE.unpack_from(code)
    rows = (_SEGMENT.unpack_from(code, place + size * number) for number in range(count))
    end = max(start + length for start, length in rows)
    kept = bytearray(code[:end])
    for table in (_SECTION_TABLE_PLACE, _SECTION_TABLE_SIZE):
        kept[table] = bytes(table.stop - table.start)
    return bytes(kept)
