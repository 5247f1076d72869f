"""How releases end: one clear sentence, what runs now, what to type next."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from bot.domain.ids import StepKey
from bot.domain.phase import FINAL, Phase
from bot.domain.plan import Previous, RunbookPin, Verb
from bot.domain.run import StepRun, Wish
from bot.slack.endings import ending, ending_details
from bot.slack.release_message import release_message
from tests.slack.samples import BOB, a_plan, a_request, a_run, a_step, done, ended, failed, readable, voted


def said(phase: Phase, reason: str = "", *, and_then: Mapping[str, StepRun] | None = None, **changes: object) -> str:
    """The ending of a run, line by line; `and_then`: further steps of it, by key."""
    run = ended(phase, reason, **changes)
    run = replace(run, steps={**run.steps, **{StepKey(key): step for key, step in (and_then or {}).items()}})
    return readable("\n".join([ending(run), *ending_details(run)]))


def test_success_names_the_way_back() -> None:
    """The whole message, as it stays in the channel; the button's own command does not stand beside it again."""
    assert readable(release_message(ended(Phase.SUCCEEDED, ballot=voted())).text) == (
        """\
:white_check_mark: *api* `9f2c1e7` runs in *prod*.
Took 12 s · way back: `/rollback api prod to 77ab012`
:white_check_mark: *ci* 14/14   :white_check_mark: *image* sha256:8c1d8c1d8c1d
~Vote on seal `3f9a-c21e`~ approved by <@U0BOB>, <@U0CID>
deploy · run `api-prod-42` · seal `3f9a-c21e` · asked by <@U0ANN>\
"""
    )


def test_success_with_a_flaw_names_it() -> None:
    """The release is there, but something about it could not be finished."""
    assert said(Phase.SUCCEEDED, "the workload could not be marked healthy: forbidden") == snapshot("""\
:white_check_mark: *api* `9f2c1e7` runs in *prod*.
:warning: the workload could not be marked healthy: forbidden.
Took 12 s · way back: `/rollback api prod to 77ab012`\
""")


def test_success_over_a_bad_version_does_not_promise_it_back() -> None:
    """Nor anything else that could be refused later: the history tells what there is."""
    plan = a_plan(previous=Previous("i", "77ab012", healthy=False))
    assert said(Phase.SUCCEEDED, plan=plan) == snapshot("""\
:white_check_mark: *api* `9f2c1e7` runs in *prod*.
Took 12 s · `77ab012` is no sure way back; others: `/release history api prod`\
""")


def test_a_first_release_has_no_way_back() -> None:
    """No command is named that would fail."""
    assert said(Phase.SUCCEEDED, plan=a_plan(previous=None)) == snapshot("""\
:white_check_mark: *api* `9f2c1e7` runs in *prod*.
Took 12 s · no earlier version is known to go back to\
""")


def test_restored_says_what_failed_and_what_runs_now() -> None:
    """The two things that everybody asks at once."""
    assert said(Phase.RESTORED, "rollout failed: CrashLoopBackOff", changed=True) == snapshot("""\
:leftwards_arrow_with_hook: *api* `9f2c1e7` → *prod* was *undone*; `77ab012` is restored.
Why: rollout failed: CrashLoopBackOff.
Now runs: `77ab012`. Took 12 s.\
""")


def test_an_abort_that_was_undone_names_who_asked() -> None:
    """It did not fail by itself."""
    reason, wish = "aborted by <@U0BOB>: wrong version", Wish(BOB, "wrong version")
    assert said(Phase.RESTORED, reason, wish=wish, changed=True) == snapshot("""\
:leftwards_arrow_with_hook: *api* `9f2c1e7` → *prod* was *undone*; `77ab012` is restored.
Why: aborted by <@U0BOB>: wrong version.
Now runs: `77ab012`. Took 12 s.\
""")


def test_failed_before_the_change() -> None:
    """Nothing was touched, so asking again is safe."""
    assert said(Phase.FAILED, "set_image failed: forbidden") == snapshot("""\
:x: *api* `9f2c1e7` → *prod* *failed*.
Why: set_image failed: forbidden.
Nothing was changed; `77ab012` still runs.
Ask again: `/deploy api 9f2c1e7 prod`\
""")


def test_failed_after_the_change_admits_what_is_not_known() -> None:
    """The one state in which people must look for themselves."""
    failing = {"on_failure.restore": failed("quota")}
    why = "rollout failed: no pods; and restore failed: quota"
    assert said(Phase.FAILED, why, changed=True, and_then=failing) == snapshot("""\
:x: *api* `9f2c1e7` → *prod* *failed*.
Why: rollout failed: no pods; and restore failed: quota.
*What runs now is not certain:* the change had begun and was not undone.
Look: `/release status api prod` · go back: `/rollback api prod to 77ab012`\
""")


def test_failed_first_release_has_nothing_to_go_back_to() -> None:
    """No way back is made up."""
    assert said(Phase.FAILED, "rollout failed", changed=True, plan=a_plan(previous=None)) == snapshot("""\
:x: *api* `9f2c1e7` → *prod* *failed*.
Why: rollout failed.
Now runs: `9f2c1e7`; the change was *not undone*.
Look: `/release status api prod`\
""")


def test_a_refused_change_left_everything_as_it_was() -> None:
    """The step began, but the cluster said no: nothing landed, and nobody has to look."""
    refused = {"steps.set_image": failed("forbidden")}
    assert said(Phase.FAILED, "set_image failed: forbidden", changed=True, and_then=refused) == snapshot("""\
:x: *api* `9f2c1e7` → *prod* *failed*.
Why: set_image failed: forbidden.
The image was not changed: `77ab012` still runs.
Look: `/release status api prod`\
""")


def test_a_restore_that_did_not_prove_itself_is_told() -> None:
    """The version before runs again, and yet not all is well."""
    after = {"on_failure.restore": done(), "on_failure.smoke": failed("502")}
    assert said(Phase.FAILED, "smoke failed: 502", changed=True, and_then=after) == snapshot("""\
:x: *api* `9f2c1e7` → *prod* *failed*.
Why: smoke failed: 502.
Now runs: `77ab012`; it was *restored*, but the steps after that failed.
Look: `/release status api prod`\
""")


def test_a_runbook_without_an_image_does_not_say_that_it_runs() -> None:
    """A migration alone puts no version anywhere."""
    plan = a_plan(runbook=RunbookPin("migrate", "1" * 64), steps=(a_step("steps.approval"), a_step("steps.job")))
    assert said(Phase.SUCCEEDED, plan=plan) == snapshot("""\
:white_check_mark: *api* `9f2c1e7`: the runbook `migrate` has *finished* in *prod*.
The image was not changed: `77ab012` still runs.
Took 12 s\
""")


def test_a_rollback_names_the_way_forward_and_no_way_back() -> None:
    """Going back from a rollback would bring what people just fled from."""
    message = release_message(ended(Phase.SUCCEEDED, request=a_request(verb=Verb.ROLLBACK, ref="")))
    assert "forward again: `/deploy api 77ab012 prod`" in message.text
    assert "/rollback" not in message.text


def test_a_version_known_by_its_tag_alone_is_no_way_back() -> None:
    """The tag may mean another image tomorrow."""
    plan = a_plan(previous=Previous("ghcr.io/acme/api:77ab012", "77ab012", healthy=True))
    assert "`77ab012` is no sure way back" in said(Phase.SUCCEEDED, plan=plan)


def test_rejected_names_by_whom() -> None:
    """One no is enough, and it has a name."""
    assert said(Phase.REJECTED, "rejected by <@U0BOB>") == snapshot("""\
:no_entry_sign: *api* `9f2c1e7` → *prod* was rejected by <@U0BOB>.
Nothing was changed; `77ab012` still runs.\
""")


def test_expired_says_what_was_missing() -> None:
    """And how to ask again."""
    assert said(Phase.EXPIRED, "not approved within 30 min") == snapshot("""\
:alarm_clock: *api* `9f2c1e7` → *prod* *expired*.
Why: not approved within 30 min.
Nothing was changed; `77ab012` still runs.
Ask again: `/deploy api 9f2c1e7 prod`\
""")


def test_aborted_names_by_whom_and_why() -> None:
    """Nothing had been changed yet."""
    assert said(Phase.ABORTED, "aborted by <@U0BOB>: wrong version", wish=Wish(BOB, "wrong version")) == snapshot("""\
:octagonal_sign: *api* `9f2c1e7` → *prod* was aborted by <@U0BOB>: wrong version.
Nothing was changed; `77ab012` still runs.
Ask again: `/deploy api 9f2c1e7 prod`\
""")


def test_aborted_without_a_name_still_says_why() -> None:
    """A step may end a run as aborted for a reason of its own."""
    assert said(Phase.ABORTED, "the CI run was cancelled") == snapshot("""\
:octagonal_sign: *api* `9f2c1e7` → *prod* was *aborted*: the CI run was cancelled.
Nothing was changed; `77ab012` still runs.
Ask again: `/deploy api 9f2c1e7 prod`\
""")


def test_refused_says_which_gate() -> None:
    """And what to type once it is mended."""
    assert said(Phase.REFUSED, "gate ci: 13 of 14 checks passed") == snapshot("""\
:no_entry: *api* `9f2c1e7` → *prod* was *refused*.
Why: gate ci: 13 of 14 checks passed.
Nothing was changed; `77ab012` still runs.
Ask again: `/deploy api 9f2c1e7 prod`\
""")


def test_a_rollback_is_asked_again_as_a_rollback() -> None:
    """With the version that was named, if one was."""
    request = a_request(verb=Verb.ROLLBACK, ref="")
    assert said(Phase.EXPIRED, "not approved within 30 min", request=request).splitlines()[-1] == snapshot(
        "Ask again: `/rollback api prod`"
    )
    named = replace(request, ref="77ab012")
    assert said(Phase.EXPIRED, "not approved within 30 min", request=named).splitlines()[-1] == snapshot(
        "Ask again: `/rollback api prod to 77ab012`"
    )


def test_a_promotion_is_asked_again_from_where_it_came() -> None:
    """Before it has a plan nobody knows the version, and it is no way back to anything."""
    request = a_request(verb=Verb.PROMOTE, ref="", origin="staging")
    lines = said(Phase.REFUSED, "staging runs nothing", request=request, plan=None).splitlines()
    assert "what runs in *staging* → *prod* was *refused*" in lines[0]
    assert lines[-1] == "Ask again: `/promote api staging prod`"


@pytest.mark.parametrize("phase", sorted(FINAL))
def test_every_final_phase_has_an_ending(phase: Phase) -> None:
    """No release ends without a sentence."""
    assert ending(ended(phase)).startswith(":")


def test_a_run_that_goes_on_has_none() -> None:
    """Asking for it is a fault of ours."""
    with pytest.raises(ValueError, match="api-prod-42 has not ended: it is running"):
        ending(a_run())
