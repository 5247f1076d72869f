"""Lists, in the shapes that clients ask for: whole objects, their metadata alone, or a table; page by page."""

import base64
import json
from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from bot.sandbox.kubernetes.objects import Objects
from bot.sandbox.kubernetes.paths import Place
from bot.sandbox.kubernetes.refusals import RefusalError
from bot.sandbox.kubernetes.resources import Raw
from bot.sandbox.kubernetes.store import Record
from bot.sandbox.kubernetes.tables import table
from bot.sandbox.kubernetes.watches import versioned


def listed(objects: Objects, place: Place, request: web.Request, found: Sequence[Record]) -> bytes:
    """The answer's body. A page goes on after the last key of the page before, also when objects went meanwhile; what
    came meanwhile is in it."""
    page, metadata = _page(found, request.query.get("limit", ""), request.query.get("continue", ""))
    metadata["resourceVersion"] = str(objects.store.version)
    accept = request.headers.get("Accept", "")
    if "as=Table" in accept:
        return json.dumps(table(place.kind, page, metadata, objects.timeline.now)).encode()
    if "as=PartialObjectMetadataList" in accept:
        head: Raw = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        return _joined(head, [one.metadata_text for one in page])
    head = {"kind": f"{place.kind.kind}List", "apiVersion": place.api_version, "metadata": metadata}
    return _joined(head, [versioned(one, place) for one in page])


def _joined(head: Raw, texts: Sequence[bytes]) -> bytes:
    return json.dumps(head).encode()[:-1] + b',"items":[' + b",".join(texts) + b"]}"


def _page(found: Sequence[Record], limit: str, token: str) -> tuple[Sequence[Record], Raw]:
    if token:
        after = _after(token)
        found = [one for one in found if list(one.key) > after]
    most = int(limit) if limit.isdecimal() else 0
    if not most or len(found) <= most:
        return found, {}
    last = base64.urlsafe_b64encode(json.dumps(found[most - 1].key).encode()).decode()
    return found[:most], {"continue": last, "remainingItemCount": len(found) - most}


def _after(token: str) -> list[str]:
    try:
        after = json.loads(base64.urlsafe_b64decode(token))
    except ValueError as exc:
        raise RefusalError(HTTPStatus.BAD_REQUEST, "continue key is not valid") from exc
    return [str(part) for part in after]
