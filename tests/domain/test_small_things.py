"""Errors, targets and releases."""

from datetime import timedelta

import pytest

from bot.domain.errors import TemporaryError, UsageError
from bot.domain.ids import RunId, UserId
from bot.domain.release import ReleaseRecord, digest_of, identity, last_known_good
from bot.domain.target import Target, WorkloadKind, WorkloadRef
from tests.builders import NOW


def pinned(name: str) -> str:
    return f"r/api:{name}@sha256:{name.encode().hex():0<64}"


def a_record(image: str, *, healthy: bool = True) -> ReleaseRecord:
    return ReleaseRecord(
        Target("api", "prod"), pinned(image), image, RunId("api-prod-1"), UserId("U0ANN"), NOW, healthy=healthy
    )


def test_the_last_known_good_is_healthy_and_not_what_runs() -> None:
    """Unhealthy releases and the running one are passed over."""
    records = [a_record("v4"), a_record("v3", healthy=False), a_record("v2"), a_record("v1")]
    found = last_known_good(records, running=pinned("v4"))
    assert found is not None
    assert found.image == pinned("v2")
    assert last_known_good(records[:2], running=pinned("v4")) is None


def test_a_slip_carries_its_fix() -> None:
    """The hint is part of what is said."""
    assert str(UsageError("No such service.", hint="Try api.")) == "No such service. Try api."
    assert str(UsageError("No such service.")) == "No such service."


def test_a_temporary_fault_may_name_a_time() -> None:
    """The server's own wish travels with the error."""
    assert TemporaryError("slow down", retry_after=timedelta(seconds=3)).retry_after == timedelta(seconds=3)
    assert TemporaryError("down").retry_after is None


def test_targets_and_workloads_read_well() -> None:
    """They appear in messages and logs."""
    assert str(Target("api", "prod")) == "api/prod"
    assert str(WorkloadRef("main", "prod", WorkloadKind.DEPLOYMENT, "api")) == "deployment/api in prod"


@pytest.mark.parametrize("text", ["a b c", "r/api@sha256:abc", ""])
def test_what_is_no_reference_has_no_digest(text: str) -> None:
    """An image that nobody can read is compared by its text."""
    assert digest_of(text) is None
    assert identity(text) == text
