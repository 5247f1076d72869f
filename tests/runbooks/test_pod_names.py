"""Which pods belong to which workload."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UsageError
from bot.domain.target import WorkloadKind
from runbooks.pod_names import literal, pods_of

DEPLOYMENT = WorkloadKind.DEPLOYMENT
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
NAMES = st.from_regex(r"[a-z]([a-z0-9.-]{0,45}[a-z0-9])?", fullmatch=True)
HASHES = st.text(ALPHABET, min_size=1, max_size=10)
SUFFIXES = st.text(ALPHABET, min_size=5, max_size=5)


def generated(deployment: str, template_hash: str, suffix: str) -> str:
    """The name that Kubernetes gives a pod."""
    return f"{deployment}-{template_hash}-"[:58] + suffix


@given(NAMES, HASHES, SUFFIXES)
def test_a_deployments_pods_are_known_and_no_others(name: str, template_hash: str, suffix: str) -> None:
    """Stable, canary and baseline never take each other's, however long the name."""
    workloads = [name, f"{name}-canary", f"{name}-baseline"]
    for owner in workloads:
        pod = generated(owner, template_hash, suffix)
        assert [each for each in workloads if re.fullmatch(pods_of(DEPLOYMENT, each), pod)] == [owner]


@pytest.mark.parametrize(
    ("kind", "pod", "belongs"),
    [
        (DEPLOYMENT, "api-7d9f8b6c5-x2bcd", True),
        (DEPLOYMENT, "api-54-x2bcd", True),
        (DEPLOYMENT, "api-canary-7d9f8b6c5-x2bcd", False),
        (DEPLOYMENT, "api-baseline-7d9f8b6c5-x2bcd", False),
        (DEPLOYMENT, "api-worker-7d9f8b6c5-x2bcd", False),
        (DEPLOYMENT, "api-migrate-x2bcd", False),
        (DEPLOYMENT, "api-0", False),
        (DEPLOYMENT, "my-api-7d9f8b6c5-x2bcd", False),
        (WorkloadKind.STATEFULSET, "api-0", True),
        (WorkloadKind.STATEFULSET, "api-12", True),
        (WorkloadKind.STATEFULSET, "api-canary-7d9f8b6c5-x2bcd", False),
        (WorkloadKind.DAEMONSET, "api-x2bcd", True),
        (WorkloadKind.DAEMONSET, "api-canary-7d9f8b6c5-x2bcd", False),
    ],
)
def test_each_kind_names_its_pods_its_own_way(kind: WorkloadKind, pod: str, belongs: bool) -> None:
    """What only begins alike belongs to somebody else."""
    assert (re.fullmatch(pods_of(kind, "api"), pod) is not None) is belongs


@pytest.mark.parametrize("letters", [39, 40, 44, 46, 47])
def test_long_names_leave_less_of_the_hash(letters: int) -> None:
    """Kubernetes cuts it, or the hyphen after it; the pods are still known, and the canary's from those of stable."""
    name = "n" * letters
    workloads = [name, f"{name}-canary", f"{name}-baseline"]
    for owner in workloads:
        pod = generated(owner, "7d9f8b6c54", "x2bcd")
        assert len(pod) <= 63
        assert [each for each in workloads if re.fullmatch(pods_of(DEPLOYMENT, each), pod)] == [owner]


def test_a_dot_is_a_dot() -> None:
    """Names may have dots; they are no wildcards."""
    assert literal("api.v2") == "api[.]v2"
    assert re.fullmatch(pods_of(DEPLOYMENT, "api.v2"), "api-v2-7d9f8b6c5-x2bcd") is None


def test_a_name_that_fills_its_pods_names_is_refused() -> None:
    """Kubernetes cuts the hash away, and the canary's pods would be called like those of stable."""
    with pytest.raises(UsageError, match="is too long: its pods could not be told"):
        pods_of(DEPLOYMENT, "a" * 58)
