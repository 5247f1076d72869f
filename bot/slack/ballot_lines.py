"""The ballot as the release message shows it: who may vote, how many, until when, and what the votes are."""

from bot.domain.approval import Approval, ApprovalPolicy, Ballot, IgnoredVote
from bot.domain.run import Run
from bot.slack.mrkdwn import code, counted, escape, mention, mentions, moment, people, strike

MOST_NAMES = 10
"""How many people the message names whose votes do not count."""


def is_open(run: Run) -> bool:
    """Whether reactions on the release message count now."""
    return run.ballot is not None and not run.ballot.closed and run.approval is None and not run.phase.final


def glass_broken(run: Run) -> bool:
    """Whether it goes on, or went on, without votes: reactions then say what others think of that."""
    return run.approval is not None and run.approval.break_glass


def ballot_lines(run: Run) -> list[str]:
    """The ballot's part of the message; nothing when nobody is asked."""
    policy = run.plan.approval if run.plan else None
    if policy is None or run.ballot is None:
        return [_glass_broken(run.approval)] if run.approval else []
    if is_open(run):
        return [*_asks(run, policy, run.ballot), *_votes(policy, run.ballot)]
    return [f"{strike(f'Vote on seal {code(run.ballot.seal)}')} {_decision(run, run.ballot)}"]


def group_word(policy_group: str) -> str:
    """A group's handle as text; it notifies nobody."""
    return f"@{escape(policy_group.removeprefix('@'))}"


def how_to_vote(policy: ApprovalPolicy) -> str:
    """What to do, with the policy's own emoji."""
    return f"react with :{escape(policy.approve_emoji)}: to approve, :{escape(policy.reject_emoji)}: to reject"


def _asks(run: Run, policy: ApprovalPolicy, ballot: Ballot) -> list[str]:
    until = moment(ballot.opened_at + policy.within, seen_from=ballot.opened_at)
    self_group = f", unless in {group_word(policy.self_group)}" if policy.self_group else ""
    return [
        f":ballot_box_with_ballot: *Vote* on exactly this plan, seal {code(ballot.seal)}:",
        f"{how_to_vote(policy)}.",
        f"{counted(policy.count, 'vote')} of {group_word(policy.group)} until {until}; one rejection is enough.",
        f"{mention(run.request.requester)} asked for it and does not count{self_group}.",
    ]


def _votes(policy: ApprovalPolicy, ballot: Ballot) -> list[str]:
    given = f"Votes: {len(ballot.approved_by)} of {policy.count}"
    lines = [f"{given}: {mentions(ballot.approved_by)}" if ballot.approved_by else given]
    if ballot.ignored:
        lines.append(f"Do not count: {ignored(ballot.ignored)}")
    return lines


def ignored(votes: tuple[IgnoredVote, ...]) -> str:
    """Whose votes do not count, and why; a crowd is counted."""
    names = ", ".join(f"{mention(vote.user)} ({escape(vote.why)})" for vote in votes[:MOST_NAMES])
    return names if len(votes) <= MOST_NAMES else f"{names}, … and {len(votes) - MOST_NAMES} more"


def _decision(run: Run, ballot: Ballot) -> str:
    approval = run.approval
    if approval is None:
        return people(ballot.closed) if ballot.decided else f"closed: {people(ballot.closed) or 'the release is over'}"
    when = moment(approval.at, seen_from=ballot.opened_at)
    use = "" if approval.used else f", to be used until {moment(approval.use_by, seen_from=ballot.opened_at)}"
    return f"approved by {mentions(approval.by)} at {when}{use}"


def _glass_broken(approval: Approval) -> str:
    when = moment(approval.at, seen_from=approval.at)
    return f":rotating_light: *Break-glass* by {mentions(approval.by)} at {when}: nobody was asked"
