"""Counting votes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.approval import ApprovalPolicy, Electorate, Person, ineligible, tally
from bot.domain.ids import UserId

ANN, BOB, CID, DAN = (UserId(name) for name in ("U0ANN", "U0BOB", "U0CID", "U0DAN"))
STRANGER = UserId("U0STRANGER")
POLICY = ApprovalPolicy("@release-approvers", count=2)
PEOPLE = {user: Person(user, user) for user in (ANN, BOB, CID, DAN)}
ELECTORATE = Electorate(ANN, members=frozenset({ANN, BOB, CID}), self_voters=frozenset(), people=PEOPLE)


def with_person(**flags: bool) -> Electorate:
    return replace(ELECTORATE, people={**PEOPLE, BOB: replace(PEOPLE[BOB], **flags)})


def test_two_distinct_members_approve() -> None:
    """A quorum of two is two people of the group."""
    counted = tally(POLICY, ELECTORATE, approve=(BOB, CID), reject=())
    assert counted.approved
    assert counted.approved_by == (BOB, CID)


def test_the_same_person_counts_once() -> None:
    """Slack lists a person once, but a doubled list must not make two of one."""
    assert not tally(POLICY, ELECTORATE, approve=(BOB, BOB), reject=()).approved


def test_the_requester_does_not_count() -> None:
    """Nobody approves what they asked for themselves."""
    counted = tally(POLICY, ELECTORATE, approve=(ANN, BOB), reject=())
    assert not counted.approved
    assert [(vote.user, vote.why) for vote in counted.ignored] == [(ANN, "asked for this release")]


def test_those_on_call_may_vote_for_their_own_rollback() -> None:
    """A member of the policy's own group counts even for their own request."""
    electorate = replace(ELECTORATE, self_voters=frozenset({ANN}))
    assert tally(replace(POLICY, count=1), electorate, approve=(ANN,), reject=()).approved


def test_those_on_call_vote_for_nobody_elses_rollback() -> None:
    """Who is on call and no approver counts for their own request alone, with yes and with no."""
    electorate = replace(ELECTORATE, self_voters=frozenset({DAN}))
    counted = tally(replace(POLICY, count=1), electorate, approve=(DAN,), reject=(DAN,))
    assert not counted.approved
    assert not counted.rejected
    assert [(vote.user, vote.why) for vote in counted.ignored] == [(DAN, "is not in the group")]
    own = replace(electorate, requester=DAN)
    assert tally(replace(POLICY, count=1), own, approve=(DAN,), reject=()).approved


def test_one_rejection_is_enough() -> None:
    """One eligible no outweighs any number of yes."""
    counted = tally(POLICY, ELECTORATE, approve=(BOB, CID), reject=(BOB,))
    assert counted.rejected
    assert not counted.approved


def test_a_no_beside_a_yes_is_a_no() -> None:
    """Somebody who gave both reactions has rejected."""
    assert tally(POLICY, ELECTORATE, approve=(BOB,), reject=(BOB,)).approved_by == ()


def test_a_rejection_by_somebody_ineligible_is_ignored() -> None:
    """A guest cannot stop a release either."""
    assert not tally(POLICY, with_person(is_guest=True), approve=(), reject=(BOB,)).rejected


def test_every_kind_of_outsider_is_named() -> None:
    """Each reason for not counting has its own words."""
    assert ineligible(BOB, with_person(is_bot=True)) == "is a bot"
    assert ineligible(BOB, with_person(is_deleted=True)) == "has been deactivated"
    assert ineligible(BOB, with_person(is_guest=True)) == "is a guest"
    assert ineligible(BOB, with_person(is_outside=True)) == "belongs to another workspace"
    assert ineligible(DAN, ELECTORATE) == "is not in the group"
    assert ineligible(STRANGER, ELECTORATE) == "is not in the group"
    assert ineligible(BOB, replace(ELECTORATE, people={})) == "is unknown to this workspace"
    assert ineligible(BOB, ELECTORATE) is None


USERS = st.sampled_from([ANN, BOB, CID, DAN, STRANGER])


@given(st.lists(USERS), st.lists(USERS), st.integers(1, 3))
def test_an_approval_always_has_enough_eligible_people(approve: list[UserId], reject: list[UserId], count: int) -> None:
    """Whatever people do, an approval means `count` distinct members, none of them the requester or a rejecter."""
    counted = tally(replace(POLICY, count=count), ELECTORATE, approve=tuple(approve), reject=tuple(reject))
    if counted.approved:
        assert len(set(counted.approved_by)) >= count
        assert set(counted.approved_by) <= {BOB, CID} & set(approve)
        assert not {BOB, CID} & set(reject)


@given(st.permutations([ANN, BOB, CID, DAN]))
def test_the_order_of_votes_does_not_matter(order: list[UserId]) -> None:
    """The same people approve in whatever order Slack lists them."""
    counted = tally(POLICY, ELECTORATE, approve=tuple(order), reject=())
    assert set(counted.approved_by) == {BOB, CID}
