"""The catalogue: what it means, and every fault with its place."""

from datetime import timedelta

import pytest
from inline_snapshot import snapshot

from bot.domain.approval import ApprovalPolicy
from bot.domain.errors import UsageError
from bot.domain.plan import Verb
from bot.domain.target import WorkloadKind, WorkloadRef
from runbooks.catalogue import Catalogue
from runbooks.source import Faults
from tests.runbooks.catalogues import CATALOGUE, a_catalogue


def faults(old: str, new: str) -> str:
    """What is said of the valid catalogue after one replacement."""
    assert old in CATALOGUE
    with pytest.raises(Faults) as caught:
        a_catalogue(CATALOGUE.replace(old, new, 1))
    return str(caught.value)


def test_a_workload_is_placed_by_its_environment() -> None:
    """Cluster and namespace come from the environment, name and container from the service."""
    assert a_catalogue().workload("api", "staging") == WorkloadRef(
        "main", "staging", WorkloadKind.DEPLOYMENT, "api", "api"
    )


def test_an_environment_can_differ() -> None:
    """An override wins, key by key."""
    assert a_catalogue().workload("api", "prod") == WorkloadRef(
        "main", "special", WorkloadKind.STATEFULSET, "api-main", "main"
    )


def test_a_single_container_needs_no_name() -> None:
    """Without a container the cluster's only one is meant."""
    assert a_catalogue().workload("web", "prod").container is None


def test_a_deploy_asks_as_the_environment_says() -> None:
    """Nobody may vote for their own deploy."""
    assert a_catalogue().policy("prod", Verb.DEPLOY) == ApprovalPolicy(
        "@release-approvers", 2, timedelta(minutes=20), timedelta(hours=1), self_group=None, break_glass="@sre"
    )


def test_a_rollback_asks_for_less() -> None:
    """One vote, and those on call may vote for their own."""
    policy = a_catalogue().policy("prod", Verb.ROLLBACK)
    assert policy is not None
    assert (policy.count, policy.self_group) == (1, "@on-call")


def test_an_environment_without_approval_asks_nobody() -> None:
    """No policy, no ballot."""
    assert a_catalogue().policy("staging", Verb.DEPLOY) is None


def test_a_target_has_its_runbook() -> None:
    """The service names it for a deploy; otherwise it is called like its verb."""
    catalogue = a_catalogue()
    assert catalogue.runbook_name("api", "prod", Verb.DEPLOY) == "hotfix"
    assert catalogue.runbook_name("api", "staging", Verb.DEPLOY) == "deploy"
    assert catalogue.runbook_name("api", "prod", Verb.ROLLBACK) == "rollback"


def test_smoke_checks_name_the_target() -> None:
    """Braces in a URL stand for the names of the target."""
    first, second = a_catalogue().smoke("api", "staging")
    assert first.url == "https://staging.api.example/healthz"
    assert second.url == "https://api.example/items"
    assert second.expect.json_ == {"id": "present"}


def test_an_environment_may_have_its_own_channel() -> None:
    """Where it has none, the service's channel is told."""
    louder = a_catalogue(CATALOGUE.replace("namespace: staging}", "namespace: staging, channel: quiet}"))
    assert louder.channel("api", "staging") == "quiet"
    assert louder.channel("api", "prod") == "#deploys"
    assert louder.channel("api") == "#deploys"


@pytest.mark.parametrize("lookup", ["workload", "smoke", "channel"])
def test_a_slip_is_answered_with_the_near_word(lookup: str) -> None:
    """Whatever is looked up, the nearest name is offered."""
    catalogue = a_catalogue()
    with pytest.raises(UsageError, match=r"There is no service 'ap'; did you mean 'api'\?"):
        getattr(catalogue, lookup)("ap", "prod")
    with pytest.raises(UsageError, match=r"There is no environment 'prd'; did you mean 'prod'\?"):
        getattr(catalogue, lookup)("api", "prd")


def test_a_catalogue_cannot_change_after_it_was_read() -> None:
    """A run and the next command see the same."""
    with pytest.raises(ValueError, match="frozen"):
        setattr(a_catalogue().services["api"], "image", "evil")  # noqa: B010 - mypy knows that it is refused


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("image: ghcr", "imagee: ghcr", "services.api has no key 'imagee'; did you mean 'image'?"),
        ("image: ghcr", "imagee: ghcr", "services.api lacks the key 'image'"),
        ("protected: true", "protecte: true", "environments.prod has no key 'protecte'; did you mean 'protected'?"),
        (
            "expect: {status",
            "expect: {statu",
            "services.api.smoke[1].expect has no key 'statu'; did you mean 'status'?",
        ),
        ("  staging: {", "  all: {", "no environment can be called 'all': `/release freeze all` means them all"),
        ("clusters:", "roles: {}\nclusters:", "'roles' comes with a later release of Sluice"),
        ("count: 2", "count: many", "environments.prod.approval.count must be a whole number"),
        ("count: 2", "count: true", "environments.prod.approval.count must be a whole number"),
        ("count: 2", 'count: "2"', "environments.prod.approval.count must be a whole number"),
        ("count: 2", "count: 2.0", "environments.prod.approval.count must be a whole number"),
        ("count: 2", "count: 0", "environments.prod.approval.count: input should be greater than or equal to 1"),
        (
            "within: 20m",
            "within: 20",
            "environments.prod.approval.within: 20 has no unit; write 20s for seconds or 20m",
        ),
        ("within: 20m", "within: 0s", "environments.prod.approval.within: input should be greater than"),
        ('"@on-call"', "7", "environments.prod.approval.on_call: '7' is not a user group; write its handle in quotes"),
        ('"#deploys"', "#deploys", 'services.api.channel: write the channel in quotes, like "#deploys"'),
        ("deployment/api", "deploymnt/api", "'deploymnt/api' is not a workload; did you mean 'deployment'?"),
        ("deployment/api", "api", "'api' is not a workload; write it like deployment/api"),
        ("statefulset/api-main", "pod/x", "'pod/x' is not a workload; known: daemonset, deployment, statefulset"),
        ("image: ghcr.io/acme/api", "image: ghcr.io/acme/api:v1", "without tag or digest"),
        ("get: https", "get: ftp", "services.api.smoke[0]: 'ftp://{environment}.api.example/healthz' is not an http"),
        ("  web:", "  Web_1:", "services.Web_1: 'Web_1' is not a name; use at most 63 small letters"),
        ("protected: true", "protected: maybe", "environments.prod.protected must be true or false"),
        ("services:", "services: []\nold:", "services must be a mapping of keys to values"),
    ],
)
def test_every_fault_says_what_to_write(old: str, new: str, said: str) -> None:
    """The place in words, what is wrong with it, and the near word or the fix."""
    assert said in faults(old, new)


def test_a_protected_environment_needs_approvers() -> None:
    """Promise one cannot be kept without anybody to ask."""
    without = CATALOGUE[: CATALOGUE.index("    approval:")] + CATALOGUE[CATALOGUE.index("services:") :]
    with pytest.raises(Faults, match=r"environments\.prod: a protected environment needs 'approval'"):
        a_catalogue(without)


def test_all_faults_come_at_once_with_their_places() -> None:
    """One look at the output is enough to mend the file."""
    broken = CATALOGUE.replace("image: ghcr", "imagee: ghcr").replace("count: 2", "count: two")
    with pytest.raises(Faults) as caught:
        a_catalogue(broken)
    assert str(caught.value) == snapshot("""\
sluice.yaml:10:14: environments.prod.approval.count must be a whole number
sluice.yaml:16:3: services.api lacks the key 'image'
sluice.yaml:17:5: services.api has no key 'imagee'; did you mean 'image'?\
""")


def test_an_empty_catalogue_lacks_everything() -> None:
    """An empty file is told what a catalogue is made of."""
    with pytest.raises(Faults, match="the file must be a mapping of keys to values"):
        a_catalogue("")
    with pytest.raises(Faults, match="the file lacks the key 'services'"):
        a_catalogue("clusters: {main: {}}")


def test_the_model_needs_no_file() -> None:
    """The model can be built from values alone, as the sandbox does."""
    built = Catalogue.model_validate(
        {
            "clusters": {"main": {}},
            "environments": {"dev": {"cluster": "main", "namespace": "dev"}},
            "services": {"api": {"image": "ghcr.io/a/b", "workload": "deployment/a", "channel": "x"}},
        }
    )
    assert built.workload("api", "dev").namespace == "dev"
