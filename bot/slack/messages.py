"""Texts that are not about the course of one release: private answers and acknowledgements."""

from bot.domain.events import StrayVote
from bot.domain.run import Run
from bot.ports.chat import Content
from bot.slack.blocks import content, section
from bot.slack.endings import ending, ending_details
from bot.slack.mrkdwn import code, people
from bot.slack.release_lines import change
from commands.wording import slash_line

NOT_STORED = "Sluice could not store your command; nothing happened; try again in a moment."
"""Shown when an invocation could not be written: the only case in which a command is not kept."""

EXAMPLES = {
    "deploy": "/deploy api sha123 staging",
    "canary": "/canary api sha123 prod",
    "promote": "/promote api staging prod",
    "rollback": "/rollback api prod",
}

NO_FORM = "The form could not be opened. Type the whole command instead, for example {example}."


def heard(line: str) -> str:
    """The acknowledgement of a command: the line is kept and will be handled, whatever happens to the bot."""
    return f"{code(slash_line(line))} – on it."


def no_form(verb: str) -> str:
    """Why no form came up, and what to type instead."""
    return NO_FORM.format(example=code(EXAMPLES[verb]))


def ended_early(run: Run) -> Content:
    """Told to the requester alone when a run ended before it had a plan."""
    return content(section("\n".join([ending(run), *ending_details(run)])))


def stray_vote(run: Run, event: StrayVote) -> Content:
    """Told to the voter alone: their vote moved nothing, and why; and what does, for those who meant to reject."""
    said = f"Your vote on {change(run)} did not count: {people(event.why)}."
    goes_on = run.ballot is not None and run.ballot.closed and not run.phase.final
    stop = f" To stop it: {code(slash_line(f'abort {run.id}'))}" if goes_on else ""
    return content(section(f"{said}{stop}"))
