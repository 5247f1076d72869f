"""Deletes exactly the object that was read."""

from bot.adapters.kubernetes_calls import Call, Raw
from bot.adapters.kubernetes_client import KubernetesClient
from bot.adapters.kubernetes_objects import Metadata, read
from bot.domain.errors import NotFoundError


async def deleted(client: KubernetesClient, call: Call, found: Raw) -> None:
    """Delete it and, in the background, what it owns; no error when it is gone. Raises ConflictError when it is
    another one by now, or has changed since it was read."""
    metadata = read(Metadata, found["metadata"])
    bound = {"uid": metadata.uid, "resourceVersion": metadata.resource_version}
    body = {"propagationPolicy": "Background", "preconditions": {key: value for key, value in bound.items() if value}}
    try:
        await client.send(call, body, content_type="application/json")
    except NotFoundError:
        return
