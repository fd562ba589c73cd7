"""Instructions that users and assistants give for all answers: how they are screened and measured.

They steer tone, length, language and format. What they say meets a fence in the prompt and the same
guards as everything else, so the worst that they can do is a worse draft. Pure.
"""

from agents.guards.question_guard import clean_question, refusal_of
from agents.memory.statements import language_wish
from core.errors import InputError
from core.text import split_sentences
from retrieval.evidence import estimate_tokens


def check_wishes(text: str, max_tokens: int) -> str:
    """The text as it is kept: without what nobody sees and without runs of blanks.

    Raises:
        InputError: it is too long, or a sentence of it would be refused as a question.
    """
    lines = (" ".join(line.split()) for line in clean_question(text).splitlines())
    kept = "\n".join(line for line in lines if line)
    if (size := round(estimate_tokens(kept))) > max_tokens:
        raise InputError(
            f"these instructions have about {size} tokens, more than {max_tokens}",
            remedy="shorten them, or raise ATTEST_CHAT__MAX_INSTRUCTION_TOKENS",
        )
    if sentence := _refused(kept):
        raise InputError(
            f"instructions cannot change the rules of answering: {sentence[:80]!r}",
            remedy="say how answers shall be: tone, length, language, format",
        )
    return kept


def usable_wishes(text: str, max_tokens: int) -> str:
    """What was kept earlier, if it would be taken today; else nothing."""
    return "" if estimate_tokens(text) > max_tokens or _refused(text) else text


def wished_language(*texts: str) -> str:
    """The language, zh or en, that the first of the texts to name one wants answers in; or nothing."""
    return next((language for text in texts if (language := language_wish(text))), "")


def _refused(text: str) -> str:
    """The first sentence that is refused. Each is looked at by itself: a question beside an order may be
    about it, an instruction is not."""
    sentences = (span.of(text).strip() for span in split_sentences(text))
    return next((sentence for sentence in sentences if refusal_of(sentence)), "")
