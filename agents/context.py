"""What the nodes work with. Handed to each run as its context, never checkpointed."""

from dataclasses import dataclass

from agents.binding import EvidenceBinder
from agents.faq import Faq
from agents.guards.evidence_screen import EvidenceScreen
from agents.guards.sufficiency import SufficiencyGate
from agents.masking import AnswerMask
from agents.memory.background import Background, Recaller
from agents.prompt_library import PromptLibrary
from core.seams import ChatModel, Guard
from core.settings import ChatSettings, GuardSettings, RetrievalSettings
from retrieval.evidence import EvidenceCutter
from retrieval.retriever import Retriever


@dataclass(frozen=True, slots=True)
class AskContext:
    """The objects behind the graph. `background`, and on whose behalf `chat_model` is
    asked, are another one for each question."""

    retriever: Retriever
    cutter: EvidenceCutter
    chat_model: ChatModel
    prompts: PromptLibrary
    screen: EvidenceScreen
    binder: EvidenceBinder
    guard: Guard
    gate: SufficiencyGate
    retrieval: RetrievalSettings
    chat: ChatSettings
    guards: GuardSettings
    mask: AnswerMask | None
    faq: Faq | None = None
    recaller: Recaller = Recaller()
    background: Background = Background()
