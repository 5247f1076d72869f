"""How long the engine waits before it looks again by itself. Hints come sooner; these only cover lost ones."""

from datetime import timedelta

AT_ONCE = timedelta(0)
RETRY = timedelta(seconds=5)
"""After a server that did not answer and named no time of its own."""

QUEUE_LOOK = timedelta(minutes=5)
"""A run in line is woken by whoever frees its target."""

LONGEST_ASK = timedelta(seconds=30)
"""How long a gate, or the servers that a plan needs, may take to answer in one pass: less than a pass may last, so that
what the others said is kept."""

LONGEST_LOOK = timedelta(minutes=5)
"""However long a server wishes to be left alone: people wait."""

PAUSED_LOOK = timedelta(minutes=10)
"""A paused run is woken when it is resumed."""

NEXT_COUNT = timedelta(minutes=2)
"""Reactions wake an open ballot. reactions.get is Slack's tier 3: about 50 calls a minute for all ballots together."""

NEXT_TRY = timedelta(minutes=1)
"""A ballot whose message is still being posted: its delivery wakes the run."""

PLANNING_LIMIT = timedelta(hours=1)
"""How long a run may wait for a server that it needs to make its plan."""

FRESH = timedelta(seconds=30)
"""How long after the last look at the votes a change may begin without another: a pass takes far less."""

UNREADABLE_LOOK = timedelta(seconds=30)
"""After an answer about votes that trying again at once will not better: a group or a channel that is gone."""
