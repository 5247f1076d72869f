"""Lines become words, options, targets and times."""

from datetime import UTC, datetime
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UsageError
from bot.domain.ids import RunId
from bot.domain.target import Target
from commands.grammar import LONGEST_LINE, Placed, moment, place, read_line, run_or_target, some_targets
from runbooks.catalogue import Catalogue
from tests.runbooks.catalogues import a_catalogue

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
USAGE = "deploy <service> <ref> <environment>"


def named(services: tuple[str, ...], environments: tuple[str, ...]) -> Catalogue:
    """A catalogue with nothing but these names."""
    return Catalogue.model_validate(
        {
            "clusters": {"main": {}},
            "environments": {name: {"cluster": "main", "namespace": "x"} for name in environments},
            "services": {
                name: {"image": "ghcr.io/acme/x", "workload": "deployment/x", "channel": "x"} for name in services
            },
        }
    )


def placed(text: str, catalogue: Catalogue | None = None, *, ref: bool | None = True) -> Placed:
    """A line's words in their places."""
    return place(read_line(text), catalogue or a_catalogue(), usage=USAGE, ref=ref)


def slip(text: str, catalogue: Catalogue | None = None, *, ref: bool | None = True) -> str:
    """What is answered to a line that cannot be placed."""
    with pytest.raises(UsageError) as caught:
        placed(text, catalogue, ref=ref)
    return str(caught.value)


# --- words and options ---


def test_a_line_is_a_verb_with_words_options_and_flags() -> None:
    """Options may stand anywhere, with a space or with an equals sign."""
    line = read_line('deploy --runbook=hotfix api v1 --reason "fixes the login" prod --dry-run --at 18:00')
    assert (line.verb, line.words) == ("deploy", ("api", "v1", "prod"))
    assert line.options == {"runbook": "hotfix", "reason": "fixes the login", "at": "18:00"}
    assert line.flags == {"dry-run"}


def test_what_was_typed_as_markup_stays_text() -> None:
    """Slack's own markup was undone where its payload was read: angle brackets that are left were typed."""
    line = read_line('deploy api v2 prod --reason "List<String> when a < b and c > d &lt; e"')
    assert line.options["reason"] == "List<String> when a < b and c > d &lt; e"


@pytest.mark.parametrize("text", ["", "   ", "``"])
def test_nothing_typed_is_an_empty_verb(text: str) -> None:
    """Whoever handles lines answers it with help."""
    assert read_line(text).verb == ""


@pytest.mark.parametrize("text", ["DEPLOY api", "/deploy api", "Deploy api"])
def test_the_verb_is_read_in_any_dress(text: str) -> None:
    """Capitals and a copied slash do not matter."""
    assert read_line(text).verb == "deploy"


def test_an_apostrophe_is_not_a_quotation_mark() -> None:
    """A reason may be written as people write."""
    assert read_line('abort api prod --reason "it\'s slow"').options == {"reason": "it’s slow"}
    assert read_line("abort api-prod-1 --reason don't").options == {"reason": "don’t"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("deploy --runbok x", "There is no option `--runbok`; did you mean 'runbook'?"),
        ("deploy --reason", '`--reason` needs a value. Write `--reason "what for"`.'),
        ("deploy --at --dry-run", "`--at` needs a value. Write `--at 18:00`."),
        ("deploy --dry-run=yes", "`--dry-run` takes no value. Write only `--dry-run`."),
        ("deploy --dry-run --dry-run", "`--dry-run` is given twice."),
        ("deploy --at=1 --at=2", "`--at` is given twice."),
        ('deploy --reason "open', 'A quotation mark is opened and not closed. Close it: `--reason "…"`.'),
        ("x" * (LONGEST_LINE + 1), "That line is longer than 2,000 characters. Shorten the reason."),
    ],
)
def test_a_slip_is_answered_with_the_fix(text: str, answer: str) -> None:
    """Every refusal of a line says what to type."""
    with pytest.raises(UsageError) as caught:
        read_line(text)
    assert str(caught.value) == answer


def test_an_option_of_another_verb_is_refused() -> None:
    """An option that would be ignored is not accepted."""
    with pytest.raises(UsageError, match=r"`status` has no `--reason`. `/release help status` shows what it has."):
        read_line("status --reason x").allow()


# --- places ---


@pytest.mark.parametrize("words", list(permutations(("api", "sha123", "prod"))))
def test_words_may_come_in_any_order(words: tuple[str, ...]) -> None:
    """What is a service is the service, what is an environment is the environment, the rest is the reference."""
    assert placed(f"deploy {' '.join(words)}") == Placed("api", "prod", "sha123")


def test_names_are_read_in_any_case_and_references_as_typed() -> None:
    """A tag may have capitals; a service has none."""
    assert placed("deploy API V1.2-RC Prod") == Placed("api", "prod", "V1.2-RC")


def test_a_reference_may_be_left_out_where_the_verb_allows_it() -> None:
    """A rollback needs none."""
    assert placed("rollback prod api", ref=None) == Placed("api", "prod")
    assert placed("why prod api", ref=False).target == Target("api", "prod")


def test_position_decides_where_a_name_is_both() -> None:
    """A service may be called like an environment; the order of the usage is then the meaning."""
    both = named(("web", "prod"), ("prod", "web"))
    assert placed("deploy web v1 prod", both) == Placed("web", "prod", "v1")
    assert placed("deploy prod v1 web", both) == Placed("prod", "web", "v1")
    assert placed("deploy prod v1 prod", both) == Placed("prod", "prod", "v1")


def test_what_stays_ambiguous_is_asked_back() -> None:
    """No guess which of two targets was meant."""
    both = named(("web", "prod"), ("prod", "web"))
    assert slip("deploy v1 web prod", both) == (
        "`v1 web prod` can be read in 2 ways. Write `/deploy <service> <ref> <environment>`."
    )


def test_a_tag_may_be_called_like_an_environment() -> None:
    """Position decides between `staging` the tag and `staging` the environment."""
    assert placed("deploy api staging prod") == Placed("api", "prod", "staging")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("deploy ap v1 prod", "There is no service 'ap'; did you mean 'api'?"),
        ("deploy v1 prod zzz", "There is no service 'v1'; known: api, web"),
        ("deploy api v1 prd", "api has no environment 'prd'; did you mean 'prod'?"),
        ("deploy prd api v1", "api has no environment 'prd'; did you mean 'prod'?"),
        ("deploy api v1 xyz", "api has no environment 'xyz'; known: prod, staging"),
        ("deploy prod prod prod", "There is no service 'prod'; known: api, web"),
        ("deploy api prod", f"`deploy` needs what to release: a tag, a commit or a digest. Write `/{USAGE}`."),
        ("deploy api v1", f"`deploy` needs an environment (staging, prod). Write `/{USAGE}`."),
        ("deploy", f"`deploy` needs a service (api, web) and an environment (staging, prod). Write `/{USAGE}`."),
        ("deploy api v1 to prod", f"`deploy` cannot be read with 4 words. Write `/{USAGE}`."),
    ],
)
def test_a_misplaced_word_is_answered_with_the_right_one(text: str, answer: str) -> None:
    """The word that is wrong is named, and the nearest one that is right."""
    assert slip(text) == answer


WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)


@given(st.sets(WORDS, min_size=3, max_size=3).map(sorted), st.randoms())
def test_any_order_of_unambiguous_words_is_the_same_command(names: list[str], random: Random) -> None:
    """Promise of the grammar, for any names."""
    service, environment, ref = names
    shuffled = [service, environment, ref]
    random.shuffle(shuffled)
    known = named((service,), (environment,))
    assert placed(f"deploy {' '.join(shuffled)}", known) == Placed(service, environment, ref)


TYPED = st.text() | st.lists(
    st.sampled_from(["deploy", "api", "prod", "v1", "--at", "--reason", "=", '"', "'", "--", "to", "<@U1>", "`", "—x"])
    | st.text(max_size=4)
).map(" ".join)


@given(TYPED, st.sampled_from([True, False, None]))
def test_any_text_is_understood_or_answered(text: str, ref: bool | None) -> None:
    """Nothing that can be typed makes the grammar fail in another way than by a UsageError."""
    try:
        line = read_line(text)
        found = place(line, a_catalogue(), usage=USAGE, ref=ref)
    except UsageError as slipped:
        understood = str(slipped) != ""
    else:
        understood = found.service in ("api", "web") and found.environment in ("staging", "prod")
    assert understood


# --- runs and targets ---


def test_a_run_or_a_target_is_named() -> None:
    """A run by its id, a target by two words."""
    catalogue = a_catalogue()
    assert run_or_target(read_line("why API-prod-42"), catalogue, usage="u") == RunId("api-prod-42")
    assert run_or_target(read_line("why prod api"), catalogue, usage="u") == Target("api", "prod")


@pytest.mark.parametrize("text", ["why", "why api", "why api-prod-0", "why api prod 42"])
def test_anything_else_is_asked_back(text: str) -> None:
    """With the way to write it."""
    with pytest.raises(UsageError, match=r"`why` needs a run, or a service and an environment. Write `/release u`."):
        run_or_target(read_line(text), a_catalogue(), usage="u")


def test_words_narrow_targets_down() -> None:
    """None: all; one: a row or a column; two: one target."""

    def found(text: str) -> list[str]:
        return [str(target) for target in some_targets(read_line(text), a_catalogue(), usage="u")]

    assert found("status") == ["api/staging", "api/prod", "web/staging", "web/prod"]
    assert found("status api") == ["api/staging", "api/prod"]
    assert found("status prod") == ["api/prod", "web/prod"]
    assert found("status prod web") == ["web/prod"]
    with pytest.raises(UsageError, match="'prd' is neither a service nor an environment; did you mean 'prod'"):
        found("status prd")


# --- times ---


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("18:00", datetime(2026, 3, 2, 18, 0, tzinfo=UTC)),
        ("9:01", datetime(2026, 3, 2, 9, 1, tzinfo=UTC)),
        ("2026-03-03T07:30Z", datetime(2026, 3, 3, 7, 30, tzinfo=UTC)),
        ("2026-03-03T07:30", datetime(2026, 3, 3, 7, 30, tzinfo=UTC)),
        ("2026-03-03T07:30+02:00", datetime(2026, 3, 3, 5, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_utc(text: str, at: datetime) -> None:
    """A time of day is today's; an offset is respected."""
    assert moment(text, NOW) == at


@pytest.mark.parametrize("text", ["08:59", "9:00", "2026-03-02T08:00Z", "0001-01-02T00:00Z"])
def test_the_past_is_refused(text: str) -> None:
    """A start that has passed is a slip, never "at once"."""
    with pytest.raises(UsageError, match=r"is in the past. It is 2026-03-02T09:00Z now"):
        moment(text, NOW)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "18:60", "18", "2026-03-03", "0001-01-01T00:00+23:00"])
def test_what_is_no_time_is_answered_with_one(text: str) -> None:
    """Both ways of writing it are shown."""
    with pytest.raises(UsageError, match=r"is not a time. Write `--at 18:00` \(UTC\) or `--at 2026-01-31T18:00Z`."):
        moment(text, NOW)
