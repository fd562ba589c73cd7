"""What the nodes work with. Handed to each run as its context, never checkpointed."""

from dataclasses import dataclass, field

from agents.allowance import Allowance
from agents.binding import EvidenceBinder
from agents.faq import Faq
from agents.guards.answer_check import AnswerCheck
from agents.guards.evidence_screen import EvidenceScreen
from agents.guards.sufficiency import SufficiencyGate
from agents.masking import AnswerMask
from agents.memory.background import Background, Recaller
from agents.prompt_library import PromptLibrary
from agents.tables.reading import TableReader
from agents.tools.invoker import ToolInvoker
from core.seams import ChatModel, Guard
from core.settings import ChatSettings, GuardSettings, RetrievalSettings
from core.settings_effort import EffortSettings
from retrieval.evidence import EvidenceCutter
from retrieval.retriever import Retriever


@dataclass(frozen=True, slots=True)
class AskContext:
    """The objects behind the graph. `background`, `chat_model`, `allowance`, `owner` and `role` are
    others for each question: the model is asked on its user's behalf and within the allowance."""

    retriever: Retriever
    cutter: EvidenceCutter
    chat_model: ChatModel
    prompts: PromptLibrary
    screen: EvidenceScreen
    binder: EvidenceBinder
    guard: Guard
    gate: SufficiencyGate
    answers: AnswerCheck
    retrieval: RetrievalSettings
    chat: ChatSettings
    guards: GuardSettings
    efforts: EffortSettings
    mask: AnswerMask | None
    faq: Faq | None = None
    tables: TableReader | None = None
    recaller: Recaller = Recaller()
    background: Background = Background()
    allowance: Allowance = field(default_factory=Allowance)
    tools: ToolInvoker | None = None
    owner: str = ""
    role: str = "reader"
