"""Forms as people fill them in, send them and put them away."""

from typing import Any

import pytest

from bot.sandbox.slack.filling import filled
from tests.sandbox.slack.apps import said, scripted, status
from tests.sandbox.slack.form_samples import FORM, GOOD, OPTIONS, a_field, plain


async def test_a_form_that_is_sent_closes() -> None:
    """What was filled in arrives as Slack words it."""
    async with scripted() as (slack, app, _):
        modal = slack.modals.open("U0ANN", FORM, at="1.0")
        assert (await slack.people.submits("ann", modal.id, GOOD)).acknowledged
        view = app.requests[0].body["view"]
        assert view["state"]["values"] == {
            "ref": {"a": {"type": "plain_text_input", "value": "v1"}},
            "environment": {"a": {"type": "static_select", "selected_option": OPTIONS[1]}},
            "reason": {"a": {"type": "plain_text_input", "value": None}},
        }
        assert (view["callback_id"], view["hash"]) == ("sluice.deploy", modal.hash)
        assert slack.snapshot("ann")["views"] == []


async def test_a_form_with_errors_stays_open() -> None:
    """They stand at their fields."""
    async with scripted() as (slack, app, _):
        modal = slack.modals.open("U0ANN", FORM, at="1.0")
        app.answers.append(said(response_action="errors", errors={"ref": "no such tag"}))
        shown = await slack.people.submits("ann", modal.id, GOOD)
        assert (shown.acknowledged, shown.errors) == (True, {"ref": "no such tag"})
        assert [view["id"] for view in slack.snapshot("ann")["views"]] == [modal.id]


@pytest.mark.parametrize(
    "answer",
    [
        status(500),
        said(response_action="errors", errors={"colour": "no such field"}),
        said(response_action="errors"),
        said(response_action="dance"),
        said(response_action="update", view={"type": "modal"}),
    ],
)
async def test_a_form_whose_answer_makes_no_sense_stays_open(answer: Any) -> None:
    """The person may try again."""
    async with scripted() as (slack, app, _):
        modal = slack.modals.open("U0ANN", FORM, at="1.0")
        app.answers.append(answer)
        shown = await slack.people.submits("ann", modal.id, GOOD)
        assert (shown.acknowledged, shown.text) == (False, "We had some trouble connecting. Try again?")
        assert len(slack.snapshot("ann")["views"]) == 1


async def test_a_form_may_be_replaced_by_another() -> None:
    """In the same place, with another hash."""
    async with scripted() as (slack, app, _):
        modal = slack.modals.open("U0ANN", FORM, at="1.0")
        before = modal.hash
        app.answers.append(said(response_action="update", view=FORM | {"title": plain("Sure?")}))
        await slack.people.submits("ann", modal.id, GOOD)
        (view,) = slack.snapshot("ann")["views"]
        assert (view["id"], view["title"]["text"], view["hash"] != before) == (modal.id, "Sure?", True)


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({}, {"ref", "environment"}),
        (GOOD | {"ref": "x" * 11}, {"ref"}),
        (GOOD | {"environment": "moon"}, {"environment"}),
        (GOOD | {"colour": "red"}, {"colour"}),
        (GOOD | {"ref": ["v1"]}, {"ref"}),
        (GOOD, set()),
    ],
)
def test_the_client_lets_only_pass_what_the_form_allows(values: dict[str, Any], errors: set[str]) -> None:
    """As it does before anything is sent."""
    assert set(filled(FORM, values)[1]) == errors


def test_every_kind_of_field_is_sent_in_its_own_way() -> None:
    """As Slack words each of them."""
    kinds = {"users_select": "U0ANN", "datepicker": "2026-03-02", "checkboxes": ["prod"], "radio_buttons": "staging"}
    blocks = [a_field(kind, {"type": kind, "options": OPTIONS}) for kind in kinds]
    state, errors = filled({"blocks": blocks}, kinds)
    assert errors == {}
    assert {kind: {k: v for k, v in fields["a"].items() if k != "type"} for kind, fields in state.items()} == {
        "users_select": {"selected_user": "U0ANN"},
        "datepicker": {"selected_date": "2026-03-02"},
        "checkboxes": {"selected_options": [OPTIONS[1]]},
        "radio_buttons": {"selected_option": OPTIONS[0]},
    }


async def test_an_app_that_wants_to_know_hears_of_a_form_that_was_put_away() -> None:
    """Others do not."""
    async with scripted() as (slack, app, _):
        for view in (FORM, FORM | {"notify_on_close": True}):
            modal = slack.modals.open("U0ANN", view, at="1.0")
            assert (await slack.people.dismisses(modal.id)).acknowledged
        assert [(request.body["type"], request.body["view"]["id"]) for request in app.requests] == [
            ("view_closed", modal.id)
        ]
        assert (await slack.people.dismisses(modal.id)).error == "not_found"


async def test_a_form_may_be_laid_upon_another() -> None:
    """Both are open then, the new one on top."""
    async with scripted() as (slack, app, _):
        modal = slack.modals.open("U0ANN", FORM, at="1.0")
        app.answers.append(said(response_action="push", view=FORM | {"title": plain("More")}))
        await slack.people.submits("ann", modal.id, GOOD)
        assert [view["title"]["text"] for view in slack.snapshot("ann")["views"]] == ["Release", "More"]
