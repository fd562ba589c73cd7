"""LoCoMo: a question about a long conversation finds the turns that answer it.

Each turn is a document whose title is the date of its session; each conversation is a set
of its own. Knows the JSON; knows nothing of searching.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from evals.beir import CorpusDocument, JudgedQuery, RetrievalSet

NOT_MENTIONED = 5
"""The category of questions that the conversation does not answer."""
CATEGORIES = {1: "several-hops", 2: "time", 3: "inference", 4: "single-hop"}
_SESSION = re.compile(r"session_(\d+)")
_TURN = re.compile(r"D\d+:\d+")


def convert_locomo(folder: Path) -> Iterator[RetrievalSet]:
    """One set a conversation. Evidence that names no turn of it is passed over, and so is a
    question that then has none."""
    for sample in json.loads((folder / "locomo_dev2.json").read_text(encoding="utf-8")):
        documents = list(_turns(sample["conversation"]))
        known = {document.id for document in documents}
        queries = []
        for number, asked in enumerate(sample["qa"]):
            # Two turns can stand in one string: "D8:6; D9:17".
            named = _TURN.findall(" ".join(asked.get("evidence", [])))
            gains = {turn: 1.0 for turn in named if turn in known}
            if gains and asked["category"] != NOT_MENTIONED:
                subset = CATEGORIES[asked["category"]]
                queries.append(JudgedQuery(f"q{number}", asked["question"], gains, subset))
        yield RetrievalSet(f"locomo-{sample['sample_id']}", documents, queries)


def _turns(conversation: Mapping) -> Iterator[CorpusDocument]:
    """In the order in which they were said."""
    numbers = sorted(int(match.group(1)) for key in conversation if (match := _SESSION.fullmatch(key)))
    for number in numbers:
        date = conversation.get(f"session_{number}_date_time", "")
        for turn in conversation[f"session_{number}"]:
            picture = f" [picture: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
            yield CorpusDocument(turn["dia_id"], f"{turn['speaker']}: {turn['text']}{picture}", date)
