"""Words that other mail programs have for the keys of a rule, for the hint to an unknown key."""

from collections.abc import Collection

_WORDS = {
    "accept": "allow deliver inbox keep ok pass permit skip whitelist",
    "reject": "block bounce deny refuse return",
    "drop": "blackhole delete discard ignore quarantine silence trash",
    "when": "condition conditions if match matches where",
    "unless": "but except exception exclude not_when without",
    "all": "all_of allof and every",
    "any": "any_of anyof either or",
    "not": "none none_of",
    "sender": "envelope_from envelope_sender mail_from mailfrom return_path",
    "recipient": "envelope_recipient envelope_to rcpt rcpt_to",
    "source_ip": "client_ip ip remote_ip",
    "helo": "ehlo",
    "attachment_name": "attachment filename file_name extension",
    "attachment_type": "mime_type content_type",
    "regex": "matches pattern re regexp",
    "contains": "has includes substring",
    "starts_with": "begins_with prefix startswith",
    "ends_with": "endswith suffix",
    "message": "explanation text",
    "until": "end ends expires to_date valid_until",
    "description": "comment name title",
}
_WITH_VALUE = {"list": ("recipient", "{in: NAME}"), "lists": ("recipient", "{in: NAME}")}
_MEANT: dict[str, list[str]] = {}
for _key, _words in _WORDS.items():
    for _word in _words.split():
        _MEANT.setdefault(_word, []).append(_key)


def meant(word: str, known: Collection[str]) -> str | None:
    """Return the known key that another program calls `word`, perhaps with its value; or None."""
    if (key := _WITH_VALUE.get(word)) and key[0] in known:
        return ": ".join(key)
    return next((key for key in _MEANT.get(word, ()) if key in known), None)
