"""Bets on how much worse the canary is, at one table or several, and what a block makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from bot.domain.judge.counts import log_normalisers
from bot.domain.judge.samples import Floats


class Bets:
    """Odds ratios to bet on: one row for each table, each beginning with its null.

    Everything about them that does not depend on a block is worked out once, flat, row after row.
    """

    def __init__(self, rows: Sequence[Sequence[float]]) -> None:
        widths = [len(row) for row in rows]
        self.log_odds: Floats = np.log([odds for row in rows for odds in row])
        self.table = np.repeat(np.arange(len(rows)), widths)
        self.null = np.repeat([0, *accumulate(widths)][:-1], widths)
        self.apart: Floats = self.log_odds - self.log_odds[self.null]


@dataclass(frozen=True, slots=True)
class Question:
    """Bets and the tables of a block: rows n_c, n_b and bad ones of both; and the bad ones on the canary."""

    bets: Bets
    tables: Floats
    on_canary: Floats


def log_ratios(questions: Sequence[Question | None]) -> list[Floats | None]:
    """For each question the log likelihood ratios of its odds ratios to their nulls (0 for the nulls themselves).

    All are worked out together, as numpy takes about as long for many as for few.
    """
    asked = [question for question in questions if question is not None]
    if not asked:
        return [None] * len(questions)
    counts = np.concatenate([question.tables[:, question.bets.table] for question in asked], axis=1)
    norms = log_normalisers(counts, np.concatenate([question.bets.log_odds for question in asked]))
    found: list[Floats | None] = []
    begins = 0
    for question in questions:
        if question is None:
            found.append(None)
            continue
        bets = question.bets
        own = norms[begins : begins + bets.log_odds.size]
        begins += bets.log_odds.size
        found.append(question.on_canary[bets.table] * bets.apart - (own - own[bets.null]))
    return found
