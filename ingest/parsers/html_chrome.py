"""What of a page is the program around the text: navigation, buttons, marks for the eye only.

Only what the page itself declares so. Navigation goes where the page says which part is the
text (`main`, `article`): a page that is nothing but links keeps them.
"""

from lxml.html import HtmlElement

_NAVIGATION = "self::nav or @role='navigation' or @role='search' or @role='menu' or @role='menubar'"
_MAIN = "self::main or self::article or @role='main'"
# A button that opens a panel is the panel's heading; one inside a heading or a summary too.
_BUTTONS = (
    ".//button[not(@aria-controls) and not(@aria-expanded) and not(ancestor::summary)"
    " and not(ancestor::h1 or ancestor::h2 or ancestor::h3 or ancestor::h4 or ancestor::h5 or ancestor::h6)]"
)
# On a block it may be a panel that is closed now; on a word it is an icon or a second copy.
_FOR_THE_EYE = ".//*[@aria-hidden='true' and (self::span or self::label or self::i or self::a)]"
_MIN_MAIN_CHARS = 200


def drop_chrome(root: HtmlElement) -> None:
    """Removes it from a tree; the text that follows a removed element stays."""
    for node in root.xpath(f"{_BUTTONS} | {_FOR_THE_EYE}"):
        _drop(node)
    main = max(root.xpath(f"//*[{_MAIN}]"), key=_chars, default=None)
    if main is None or _chars(main) < _MIN_MAIN_CHARS:
        return
    for node in root.xpath(f"//*[{_NAVIGATION}][not(ancestor::*[{_NAVIGATION}])]"):
        if not any(ancestor is node for ancestor in main.iterancestors()):
            _drop(node)


def _chars(node: HtmlElement) -> int:
    return sum(len(text) for text in node.itertext())


def _drop(node: HtmlElement) -> None:
    if node.getparent() is not None:
        node.drop_tree()
