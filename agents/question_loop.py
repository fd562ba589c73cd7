"""What is kept of questions beside their sessions: the bad-case loop, and what users said of
themselves.

answer → kept answer → thumb or guard → bad case → suggestion → curated answer. Knows the
tables of each; knows nothing of the graph, nor of who may see what.
"""

from dataclasses import dataclass, replace

from agents.asking import Ask
from agents.bad_cases import BadCases
from agents.faq import Faq
from agents.kept_answers import KeptAnswer, KeptAnswers, Rating
from agents.memory.background import Recaller
from agents.memory.user_memory import UserMemory
from core.types import Answer, Turn


@dataclass(frozen=True, slots=True)
class QuestionLoop:
    """The parts of the loop over one database."""

    faq: Faq
    answers: KeptAnswers
    cases: BadCases
    memory: UserMemory | None = None
    recaller: Recaller = Recaller()

    def note(self, ask: Ask, answer: Answer, had_evidence: bool) -> None:
        """Keeps an answer, and makes a case of it where the guards held something back."""
        kept = KeptAnswer(answer, ask.question.strip(), ask.owner, ask.scope)
        self.answers.keep(kept)
        self.cases.note_answer(kept, had_evidence)

    def take_up(self, ask: Ask, turn: Turn, session_id: str) -> None:
        """Remembers what a question says of its user, in the words of `ask`."""
        if self.memory is not None:
            self.memory.note(ask.owner, session_id, replace(turn, question=ask.question))

    def rate(self, answer_id: str, owner: str, rating: Rating) -> KeptAnswer:
        """A thumb of the one who asked. A thumb down makes a case, one up takes that back.

        Raises:
            NotFoundError: there is no such answer, it was forgotten, or another one asked.
        """
        kept = self.answers.rate(answer_id, owner, rating)
        self.cases.note_rating(kept)
        return kept

    def forget_session(self, owner: str, session_id: str) -> None:
        """Forgets what was kept of a session."""
        self.answers.forget_session(owner, session_id)
        self.cases.forget_session(owner, session_id)

    def drop_collection(self, collection: str) -> None:
        """Forgets what was kept of a collection that is removed."""
        self.faq.drop_collection(collection)
        self.answers.drop_collection(collection)
        self.cases.drop_collection(collection)
