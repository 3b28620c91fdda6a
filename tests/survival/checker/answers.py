"""Which words of hers were taken as the answer to which question.

A question takes whatever she writes next. As a rule that is her answer (letter `a`); it is something else when the
answer itself never reached the product, and then nothing of what those words were meant for may come.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.survival.checker.expected import ANSWERS, Event, Token
from tests.survival.checker.seen import Seen


@dataclass(slots=True)
class Answers:
    """Gives every question one answer. `unasked`: thanks for words that no question was open for."""

    seen: Seen
    unasked: list[Token] = field(default_factory=list, init=False)
    _word_of: dict[Event, Event] = field(default_factory=dict, init=False)
    _questions: dict[int, list[Event]] = field(default_factory=lambda: defaultdict(list), init=False)

    def __post_init__(self) -> None:
        for event in self.seen.deeds:
            if event.letter in ANSWERS.values() and not self.is_taken(event):
                self._questions[event.customer].append(event)
            elif event.letter in ANSWERS and Token(event, 1) in self.seen.accepted:
                self._word_of[self._asked(event)] = event
        for token in sorted(self.seen.thanked, key=lambda token: token.event.number):
            question = self.open_before(token.event)
            if question is None:
                self.unasked.append(token)
            else:
                self.take(question, token.event)

    def open_before(self, event: Event) -> Event | None:
        """The latest question before these words that is not answered yet, None when there is none."""
        earlier = [q for q in self._questions[event.customer] if q.number < event.number and q not in self._word_of]
        return earlier[-1] if earlier else None

    def take(self, question: Event, words: Event) -> None:
        """These words answered it."""
        self._word_of[question] = words

    def is_elsewhere(self, answer: Event) -> bool:
        """Whether other words than this answer were taken for it, or its question itself was taken for an answer."""
        question = self._asked(answer)
        return self.is_taken(question) or self._word_of.get(question, answer) != answer

    def is_taken(self, words: Event) -> bool:
        """Whether these words were taken for an answer, though they were none."""
        return Token(words, 1) in self.seen.thanked

    @staticmethod
    def _asked(answer: Event) -> Event:
        return Event(ANSWERS[answer.letter], answer.customer, answer.number - 1)
