"""Personal data in a text: where it stands, of which kind, and the text without it.

A number counts when its form, its boundaries and its check digit agree; a name, a birthday or
a postal address has no check digit and is not looked for. Pure; never logs what it finds.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

KINDS = ("id_card", "bank_card", "iban", "ssn", "email", "phone")
"""Where two overlap, the earlier kind has it."""

# Full-width characters as the plain ones, one for one, so that places stay what they are.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2010: 0x2D, 0x2011: 0x2D}
_START = r"(?<![0-9A-Za-z_.,+\-])"
_END = r"(?![0-9A-Za-z_])(?![.,\-]\d)"
_URL = re.compile(r"(?:https?|ftp)://[^\s<>\"'，。；）]+", re.IGNORECASE)
_ID_CARD = re.compile(_START + r"[1-9]\d{5}(?:18|19|20)\d\d[01]\d[0-3]\d{4}[\dXx]" + _END)
_CARD = re.compile(
    _START + r"(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|3[47]\d\d([ -]?)\d{6}\2\d{5})" + _END
)
# First digits and lengths of the networks (ISO/IEC 7812).
_ISSUERS = re.compile(
    r"62\d{14,17}|4\d{15}|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|35(?:2[89]|[3-8]\d)\d{12}|(?:6011|65\d\d|64[4-9]\d)\d{12}"
)
_IBAN = re.compile(r"(?<![0-9A-Za-z])[A-Z]{2}\d\d(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?(?![0-9A-Za-z])")
_SSN = re.compile(_START + r"\d{3}-\d\d-\d{4}" + _END)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}"
    r"@(?:[A-Za-z0-9][A-Za-z0-9\-]{0,62}\.){1,8}([A-Za-z]{2,24})(?![A-Za-z0-9\-])"
)
_FILE_ENDINGS = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "ico",
        "js",
        "css",
        "py",
        "md",
        "html",
        "htm",
        "json",
        "xml",
        "txt",
        "pdf",
    ]
)
_MOBILE = re.compile(_START + r"(?:86[ -]?)?1[3-9]\d([ -]?)\d{4}\1\d{4}" + _END)
_LANDLINE = re.compile(
    _START + r"(?:\(0\d{2,3}\) ?|0\d{2,3}[- ])[2-8]\d{2,3}[ -]?\d{4}(?:-\d{1,6})?(?![0-9A-Za-z_])"
)
_AMERICAN = re.compile(_START + r"(?:\([2-9]\d\d\) ?|[2-9]\d\d([-.]))[2-9]\d\d(?(1)\1|-)\d{4}" + _END)
_ABROAD = re.compile(
    r"(?<![0-9A-Za-z_+.])(?:\+|00(?=86))[1-9]\d{0,2}(?:[ .\-]?\(?\d{1,5}\)?){2,5}(?![0-9A-Za-z_])"
)
_LEAST_DIGITS = 8
_LAST_GROUP = re.compile(r"[ .\-]\S*$")


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch `text[start:end]` that is personal data of a kind."""

    kind: str
    start: int
    end: int


def find_personal_data(text: str, kinds: Collection[str] = KINDS) -> list[Finding]:
    """What of these kinds stands in a text, in its order, without overlaps. Numbers within web
    addresses are no phones and no cards."""
    plain = text.translate(_PLAIN)
    if not any(c.isdigit() or c == "@" for c in plain):
        return []
    addresses = [match.span() for match in _URL.finditer(plain)]
    found: list[Finding] = []
    for kind in (kind for kind in KINDS if kind in kinds):
        for start, end in _FINDERS[kind](plain):
            taken = any(start < other.end and other.start < end for other in found)
            linked = kind != "email" and any(left <= start < right for left, right in addresses)
            if not (taken or linked):
                found.append(Finding(kind, start, end))
    return sorted(found, key=lambda finding: finding.start)


def mask_personal_data(text: str, kinds: Collection[str] = KINDS) -> tuple[str, Counter[str]]:
    """The text with `[phone]` in the place of a phone number and so on, and how many of each
    kind there were. Masked again it stays as it is."""
    parts, at, counts = [], 0, Counter()
    for finding in find_personal_data(text, kinds):
        parts += [text[at : finding.start], f"[{finding.kind}]"]
        at = finding.end
        counts[finding.kind] += 1
    return "".join([*parts, text[at:]]), counts


def count_personal_data(text: str, kinds: Collection[str] = KINDS) -> Counter[str]:
    """How many of each kind stand in a text."""
    return Counter(finding.kind for finding in find_personal_data(text, kinds))


def _id_cards(text: str) -> Iterator[tuple[int, int]]:
    """Resident identity cards of 18 digits (GB 11643): place, birthday and the check digit of
    ISO 7064 mod 11-2."""
    from stdnum.cn import ric

    return _matching(_ID_CARD, text, lambda number: ric.is_valid(number.upper()))


def _cards(text: str) -> Iterator[tuple[int, int]]:
    return _matching(_CARD, text, _is_card)


def _is_card(number: str) -> bool:
    from stdnum import luhn

    digits = re.sub(r"[ -]", "", number)
    return bool(_ISSUERS.fullmatch(digits)) and luhn.is_valid(digits)


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    from stdnum import iban

    return _matching(_IBAN, text, lambda number: iban.is_valid(number, check_country=False))


def _ssns(text: str) -> Iterator[tuple[int, int]]:
    from stdnum.us import ssn

    return _matching(_SSN, text, ssn.is_valid)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        if match.group(1).lower() not in _FILE_ENDINGS and ".." not in match.group():
            yield match.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    """Numbers that the numbering plan of their country knows: Chinese and North American ones
    as they are written at home, others from their + on."""
    yield from _matching(_ABROAD, text, lambda number: _is_phone(re.sub("^00", "+", number), None))
    for pattern, region in ((_MOBILE, "CN"), (_LANDLINE, "CN"), (_AMERICAN, "US")):
        yield from _matching(pattern, text, lambda number, region=region: _is_phone(number, region))


def _is_phone(number: str, region: str | None) -> bool:
    import phonenumbers  # loaded, like the others, when there is something to check

    if sum(c.isdigit() for c in number) < _LEAST_DIGITS:
        return False
    try:
        # The extension behind a landline is no part of what the plan knows.
        parsed = phonenumbers.parse(re.sub(r"(?<=\d{7})-\d{1,6}$", "", number), region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed)


def _matching(
    pattern: re.Pattern[str], text: str, is_valid: Callable[[str], bool]
) -> Iterator[tuple[int, int]]:
    """What stands behind a number may look like its last group, as another number or a word in
    capitals: so shorter ones are tried too."""
    for match in pattern.finditer(text):
        number = match.group()
        while number and not is_valid(number):
            number = _LAST_GROUP.sub("", number) if _LAST_GROUP.search(number) else ""
        if number:
            yield match.start(), match.start() + len(number)


_FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "id_card": _id_cards,
    "bank_card": _cards,
    "iban": _ibans,
    "ssn": _ssns,
    "email": _emails,
    "phone": _phones,
}
