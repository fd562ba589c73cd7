"""Names in Latin letters: of people, organisations, places, products and codes. By rules.

Letter case and the words beside a name are all there is to go by, so what begins a sentence counts
only when it is more than one plain word or stands elsewhere in the text with its capital. Pure.
"""

import re

from core.entities import EntityKind, Mention

_L = "A-Za-z0-9\u00c0-\u024f"
_WORD = rf"[A-Z\u00c0-\u00de][{_L}'’&-]*[{_L}]|[A-Z]\."
_LINK = r"of the|of|de la|de|del|di|da|van der|van|von|du|la|le|al-|&|and the|for the|in the|upon"
_GAP = r"[^\S\n]+"
_NAME = re.compile(
    rf"(?<![{_L}'’-])(?:{_WORD})(?:{_GAP}(?:(?:{_LINK}){_GAP})?(?:{_WORD}|\d{{1,4}}(?![{_L}.,%])))*"
)
_CODE = re.compile(
    r"(?<![A-Za-z0-9./_-])(?=[A-Za-z0-9./_-]*[A-Za-z])(?=[A-Za-z0-9./_-]*\d)[A-Za-z0-9]+(?:[-_./][A-Za-z0-9]+)*"
)
_SHORT_FORM = re.compile(r"\s?[(（]\s?(?:[^()（）]{0,24}[,，:：]\s?)?([A-Z][A-Za-z0-9&-]{1,11})\s?[)）]")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;。！？：；\n“\"(]\s*|\n\s*[-*•\d.]+\s*)$")
_MEASURE = re.compile(
    r"\d+(?:\.\d+)?-?(?:st|nd|rd|th|s|[mck]?m|k?g|mg|m?l|h|k?hz|[km]?w|k?v|a|[kmg]b|am|pm|k|bn|x|times?|days?|years?)",
    re.IGNORECASE,
)
_PLAIN = frozenset(
    re.findall(
        r"\w+",
        "a an the this that these those it its he she his her they their them we our you your i my "
        "and or but nor if in on at by to of for from with as into onto over under after before since "
        "until during while when where who whom whose which what why how is are was were be been has "
        "have had do does did not no yes all any some each every both many most much more few other "
        "another such there here then thus hence however although though because so also only even "
        "according despite unlike like among between within without through about against across "
        "along around unless whether one two three first second third last next new old note see "
        "section chapter table figure page step please use can may must should will would could might "
        "january february march april june july august september october november december monday "
        "tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun jan feb mar "
        "apr jun jul aug sep sept oct nov dec today later once soon still yet too very just per via "
        "up out off down ",
    )
)
_PERSON_TITLES = frozenset(
    re.findall(
        r"\w+",
        "mr mrs ms miss dr prof professor president king queen prince princess emperor sir lord lady "
        "captain general saint pope bishop minister chancellor ",
    )
)
_ORGANISATION = re.compile(
    r"\b(?:Inc|Ltd|LLC|GmbH|AG|Corp|Corporation|Company|Co|Group|Holdings?|University|College|Institute|School|"
    r"Bank|Ministry|Department|Agency|Committee|Commission|Council|Association|Society|Foundation|Organi[sz]ation|"
    r"Union|Party|Church|Museum|Hospital|Court|Parliament|Senate|Congress|Office|Team|League|Club)\b"
)
_PLACE = re.compile(
    r"\b(?:City|County|River|Lake|Mountains?|Mount|Island|Islands|Street|Road|Avenue|Bridge|Park|Valley|Bay|Sea|"
    r"Ocean|Desert|Province|Kingdom|Republic|Empire|Stadium|Airport|Station|Palace|Castle|Square|Port)\b"
)


def find_latin_names(text: str) -> list[Mention]:
    """The names and codes of a text in their order, none within another."""
    found = [mention for match in _NAME.finditer(text) if (mention := _named(match, text)) is not None]
    taken = [(mention.start, mention.end) for mention in found]
    for match in _CODE.finditer(text):
        is_free = all(match.end() <= start or match.start() >= end for start, end in taken)
        if is_free and not _MEASURE.fullmatch(match.group()):
            name = match.group()
            kind = EntityKind.PRODUCT if any(char.isupper() for char in name) else EntityKind.NAME
            found.append(Mention(name, kind, *match.span()))
    return sorted(found, key=lambda mention: mention.start)


def _named(match: re.Match, text: str) -> Mention | None:
    start, end = match.span()
    name = _without_plain_start(match.group())
    start += len(match.group()) - len(name)
    name = re.sub(r"['’]s$", "", name)
    end = start + len(name)
    words = name.split()
    if not words or len(name) < 2 or all(word.casefold() in _PLAIN for word in words):
        return None
    begins = _begins_sentence(text, match.start())
    if len(words) == 1 and begins and start == match.start() and not _stands_elsewhere(name, start, text):
        return None
    kind = _kind_of(name, text[max(0, start - 12) : start])
    return Mention(name, kind, start, end, _short_form(text, end, name))


def _without_plain_start(name: str) -> str:
    """`The Normans` without its article, `In Paris` without its preposition."""
    while (word := name.split(maxsplit=1)) and word[0].casefold() in _PLAIN:
        # A word all in capitals is a name: IT, WHO.
        if len(word[0]) > 1 and word[0].isupper():
            return name
        rest = word[1] if len(word) > 1 else ""
        while (link := re.match(rf"(?:{_LINK})\s+", rest)) is not None:
            rest = rest[link.end() :]
        name = rest
    return name


def _stands_elsewhere(name: str, start: int, text: str) -> bool:
    """Whether a capital at the start of a sentence is the name's own."""
    if not name[1:].islower():
        return True
    found = re.finditer(rf"(?<![\w'’-]){re.escape(name)}(?!\w)", text)
    return any(match.start() != start and not _begins_sentence(text, match.start()) for match in found)


def _begins_sentence(text: str, at: int) -> bool:
    return _SENTENCE_START.search(text[max(0, at - 8) : at]) is not None


def _kind_of(name: str, before: str) -> EntityKind:
    first = name.split()[0].casefold().rstrip(".")
    title = before.strip().rpartition(" ")[2].casefold().rstrip(".")
    if first in _PERSON_TITLES or title in _PERSON_TITLES:
        return EntityKind.PERSON
    if _ORGANISATION.search(name):
        return EntityKind.ORGANISATION
    if _PLACE.search(name):
        return EntityKind.PLACE
    return EntityKind.PRODUCT if any(char.isdigit() for char in name) else EntityKind.NAME


def _short_form(text: str, end: int, name: str) -> str:
    """The abbreviation in brackets behind a name, if its letters are initials of the name's words
    (World Health Organization (WHO)); empty when it is anything else."""
    match = _SHORT_FORM.match(text, end)
    if match is None or " " not in name:
        return ""
    initials = "".join(word[0] for word in re.findall(r"[^\W_]+", name) if word[0].isupper())
    letters = "".join(char for char in match[1] if char.isupper())
    return match[1] if len(letters) > 1 and letters == initials else ""
