"""What a request is called, where it goes, and what its failure means."""

import json
from datetime import timedelta

import pytest

from bot.adapters.kubernetes_calls import DEPLOYMENTS, PODS, Call, translated
from bot.domain.errors import (
    ConflictError,
    NotFoundError,
    PermanentError,
    RefusedError,
    SluiceError,
    TemporaryError,
    UnreachableError,
)

PATCH = Call("patch", DEPLOYMENTS, "staging", "api")


def status(message: str) -> str:
    """A failure as API servers write it."""
    return json.dumps({"kind": "Status", "message": message})


def test_a_call_goes_where_its_resource_is() -> None:
    """Core and named API groups, objects, collections and subresources; names are escaped."""
    assert PATCH.path == "/apis/apps/v1/namespaces/staging/deployments/api"
    assert Call("list", PODS, "staging").path == "/api/v1/namespaces/staging/pods"
    assert Call("get", PODS, "staging", "a/../b", "log").path == "/api/v1/namespaces/staging/pods/a%2F..%2Fb/log"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, PermanentError),
        (401, RefusedError),
        (403, RefusedError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, PermanentError),
        (422, PermanentError),
        (429, UnreachableError),
        (500, UnreachableError),
        (503, UnreachableError),
        (504, UnreachableError),
    ],
)
def test_a_status_becomes_our_own_error(code: int, kind: type[SluiceError]) -> None:
    """Temporary or permanent is decided here, once, and the server's sentence survives."""
    error = translated(PATCH, "main", code, status("the reason."))
    assert type(error) is kind
    assert "the reason" in str(error)


def test_a_missing_right_is_named() -> None:
    """Verb, resource and namespace: what to add to the Role."""
    error = translated(PATCH, "main", 403, status('deployments.apps "api" is forbidden'))
    assert "add the verb 'patch' on 'deployments' to its Role in namespace staging" in str(error)


def test_a_missing_right_to_a_subresource_is_named_as_roles_name_it() -> None:
    """`pods/log`."""
    error = translated(Call("get", PODS, "staging", "api-1", "log"), "main", 403, status("no"))
    assert "the verb 'get' on 'pods/log'" in str(error)


@pytest.mark.parametrize("said", ["exceeded quota: small", 'admission webhook "policy" denied the request'])
def test_an_admission_refusal_does_not_send_people_to_their_role(said: str) -> None:
    """It answers 403, too, but no right would help."""
    error = translated(PATCH, "main", 403, status(said))
    assert isinstance(error, RefusedError)
    assert said in str(error)
    assert "Role" not in str(error)


def test_the_servers_wish_to_wait_is_kept() -> None:
    """Retry-After of a 429."""
    error = translated(PATCH, "main", 429, status("slow down"), wait="3")
    assert isinstance(error, TemporaryError)
    assert error.retry_after == timedelta(seconds=3)


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "", "[]", '{"message": null}'])
def test_a_proxys_answer_is_no_status(body: str) -> None:
    """Something between us and the API server answers in its own words, or in none."""
    error = translated(PATCH, "main", 502, body)
    assert str(error).endswith(body.strip() or "no explanation")
