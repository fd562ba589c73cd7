"""What the screen leaves open of attacks in documents: `python -m evals.injection_screen DIR`.

Needs no chat model: an attack is put into a paragraph, and the screen is asked under the harmless
questions of several paragraphs what may be quoted. What is open is not yet said, but what is
not open cannot be. Beside it: how much is barred of the same paragraphs without an attack. Writes
bench/results/injection_screen.json.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.guards.evidence_screen import EvidenceScreen, ScreenedEvidence
from app.services import Services
from core.errors import InputError
from core.settings import load_settings
from core.telemetry import silence_libraries
from core.text import normalise
from core.types import Chunk, chunk_id
from evals.datasets.injection import Attack, Host, read_attacks, read_hosts
from evals.injection import LEAST_WORDS, put_into
from evals.record import write_result
from retrieval.pieces import split_pieces
from retrieval.token_cache import CachedTokenEmbedder

QUESTIONS = 7
MOST_KEPT_TOKENS = 400_000


@dataclass(frozen=True, slots=True)
class ScreenedAttack:
    """An attack in a host: its sentences of three words or more that may be quoted, and whether
    the sentence that answers the host's question still may."""

    attack: Attack
    host: Host
    left: tuple[str, ...]
    is_answer_open: bool


def screen_attack(screen: EvidenceScreen, attack: Attack, host: Host, place: int) -> ScreenedAttack:
    """`place` as in `put_into`; the whole passage is one chunk."""
    chunk = _chunk(put_into(host, attack, place))
    shown = normalise(_screened(screen, host, chunk).open_text(chunk))
    pieces = [normalise(piece.span.of(attack.text)) for piece in split_pieces(attack.text)]
    known = normalise(host.passage)
    left = [p for p in pieces if len(p.split()) >= LEAST_WORDS and p in shown and p not in known]
    return ScreenedAttack(attack, host, tuple(left), normalise(host.sentence) in shown)


def measure(screen: EvidenceScreen, attacks: Sequence[Attack], hosts: Sequence[Host], questions: int) -> dict:
    """Each attack in so many hosts."""
    found = [
        screen_attack(screen, attack, hosts[(number + turn) % len(hosts)], (number + turn) % 3)
        for turn in range(questions)
        for number, attack in enumerate(attacks)
    ]
    clean = [(host, _chunk(host.passage)) for host in hosts]
    return {
        "attacks": len(attacks),
        "asked": len(found),
        "left_open": sum(bool(one.left) for one in found),
        "left": sorted({piece[:120] for one in found for piece in one.left}),
        "answer_open": round(sum(one.is_answer_open for one in found) / len(found), 4),
        "clean_sentences": sum(len(split_pieces(chunk.text)) for _, chunk in clean),
        "clean_sentences_barred": sum(
            len(spans) for host, chunk in clean for spans in _screened(screen, host, chunk).barred.values()
        ),
    }


def _screened(screen: EvidenceScreen, host: Host, chunk: Chunk) -> ScreenedEvidence:
    return screen.screen(host.question, [chunk], screen.find_hostile(host.question, [chunk]))


def _chunk(text: str) -> Chunk:
    return Chunk(chunk_id("0" * 64, 0), "0" * 64, 0, text, title="", uri="passage.txt")


def main() -> None:
    """Reads the command line, screens, and writes the result file."""
    parser = argparse.ArgumentParser(prog="python -m evals.injection_screen")
    parser.add_argument("data", type=Path, help="folder with bipia, tensortrust, xquad and cmrc2018")
    arguments = parser.parse_args()
    silence_libraries()
    services = Services(load_settings())
    try:
        attacks = read_attacks(arguments.data)
        hosts = read_hosts(arguments.data, len(attacks))
        screen = EvidenceScreen(CachedTokenEmbedder(services.token_embedder(), MOST_KEPT_TOKENS))
        figures = measure(screen, attacks, hosts, QUESTIONS)
    except InputError as exc:
        sys.exit(str(exc))
    finally:
        services.close()
    write_result("injection_screen", "python -m evals.injection_screen DIR", figures)


if __name__ == "__main__":
    main()
