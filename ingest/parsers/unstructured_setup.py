"""The one place where the `unstructured` library is made ready for work without a network.

It wants spaCy's `en_core_web_sm` and tries to download it at the first file. Attest takes
only the structure that it finds (styles, tags, tables), never its guesses by word class,
so a blank pipeline with a sentence splitter is enough.
"""

import os
from functools import cache


@cache
def prepare_unstructured() -> None:
    """Gives the library a local pipeline and silences its notices. Call before each use;
    only the first call works. Needs a process of its own: it changes the library."""
    os.environ.setdefault("UNSTRUCTURED_DISABLE_NOTICE", "1")
    os.environ.setdefault("SCARF_NO_ANALYTICS", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    import spacy
    from unstructured.nlp import tokenize

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    tokenize._get_nlp = lambda: pipeline
