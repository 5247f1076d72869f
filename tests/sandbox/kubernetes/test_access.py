"""Rights: everything at first, and only what a Role has once one is bound."""

import httpx
import pytest

from tests.sandbox.kubernetes.cluster import APPS, CORE, Api, deployment, serving

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
READS = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]}
LOGS = {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}


async def may(api: Api, verb: str, **attributes: str) -> bool:
    """What an access review says."""
    asked = {"namespace": "staging", "verb": verb, **attributes}
    answer = await api.make(REVIEWS, {"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": asked}})
    return bool(answer["status"]["allowed"])


async def test_everything_is_allowed_at_first() -> None:
    """An access review says so, with what it was asked."""
    async with serving() as api:
        spec = {"resourceAttributes": {"namespace": "staging", "verb": "delete", "resource": "pods"}}
        answer = await api.make(REVIEWS, {"kind": "SelfSubjectAccessReview", "spec": spec})
    assert (answer["status"], answer["spec"]) == ({"allowed": True}, spec)


async def test_a_bound_role_is_all_that_is_allowed() -> None:
    """In its namespace, by group, resource with subresource, and verb."""
    async with serving(deployment()) as api:
        api.kube.server.access.bind("staging", [READS, LOGS])
        said = [
            await may(api, "get", group="apps", resource="deployments"),
            await may(api, "get", resource="pods", subresource="log"),
            await may(api, "patch", group="apps", resource="deployments"),
            await may(api, "get", group="apps", resource="deployments", namespace="prod"),
            await may(api, "get", resource="pods"),
        ]
    assert said == [True, True, False, False, False]


async def test_two_roles_add_up() -> None:
    """A second binding takes nothing away."""
    async with serving() as api:
        for role in (READS, LOGS):
            api.kube.server.access.bind("staging", [role])
        assert await may(api, "list", group="apps", resource="deployments")
        assert await may(api, "get", resource="pods", subresource="log")


async def test_what_is_not_allowed_is_answered_as_by_a_server() -> None:
    """With the account, the verb, the resource and the place."""
    async with serving(deployment()) as api:
        api.kube.server.access.bind("staging", [READS])
        read = await api.http.get(f"{APPS}/deployments/api")
        refused = await api.patch(f"{APPS}/deployments/api", {"metadata": {"labels": {"a": "b"}}})
    assert (read.status_code, refused.status_code, refused.json()["reason"]) == (200, 403, "Forbidden")
    assert refused.json()["message"] == (
        'deployments.apps "api" is forbidden: User "system:serviceaccount:sluice:sluice" cannot patch resource '
        '"deployments" in API group "apps" in the namespace "staging"'
    )


@pytest.mark.parametrize(
    ("method", "path", "verb"),
    [
        ("GET", f"{CORE}/pods", "list"),
        ("GET", f"{CORE}/pods?watch=1", "watch"),
        ("POST", f"{CORE}/services", "create"),
        ("PUT", f"{APPS}/deployments/api", "update"),
        ("DELETE", f"{APPS}/deployments/api", "delete"),
        ("DELETE", f"{CORE}/pods", "deletecollection"),
        ("GET", "/apis/metrics.k8s.io/v1beta1/namespaces/staging/pods", "list"),
    ],
)
async def test_every_request_has_its_verb(method: str, path: str, verb: str) -> None:
    """The refusal names the one that would help."""
    async with serving(deployment()) as api:
        api.kube.server.access.bind("staging", [])
        answer: httpx.Response = await api.http.request(method, path, json={})
    assert answer.status_code == 403
    assert f"cannot {verb} resource" in answer.json()["message"]


async def test_a_review_of_nothing_is_refused() -> None:
    """As the server refuses it."""
    async with serving() as api:
        answer = await api.http.post(REVIEWS, json={"kind": "SelfSubjectAccessReview", "spec": {}})
    assert answer.status_code == 422
