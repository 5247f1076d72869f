"""The OCI distribution API (specification 1.1) over repositories in memory: a request gives an answer."""

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

from bot.sandbox.registry.blob import digest_of
from bot.sandbox.registry.content import INDEX, OCTETS, Held, Repository

PATH = re.compile(r"/v2/(?P<name>.+)/(?P<what>manifests|blobs|tags|referrers)/(?P<ref>.*)")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
UPLOADS = "uploads/"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `path` is from `/v2/` on; `accept` and `content_type` are its headers."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    accept: str = "*/*"
    content_type: str = OCTETS
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back. To HEAD the body is not sent, only its length."""

    status: HTTPStatus
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Distribution:
    """`page` is the size of a page of tags and of referrers where nobody asks for fewer; `without_referrers` the status
    that a registry without that API answers, `None` where there is one."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.page = 1000
        self.without_referrers: int | None = None
        self._uploads: dict[str, bytes] = {}
        self._numbers = itertools.count(1)

    def answer(self, asked: Asked) -> Reply:
        """The answer to a request."""
        if asked.path.rstrip("/") == "/v2":
            return Reply(HTTPStatus.OK, b"{}", {"Content-Type": "application/json"})
        found = PATH.fullmatch(asked.path)
        if found is None:
            return Reply(HTTPStatus.NOT_FOUND)
        name, what, ref = found["name"], found["what"], found["ref"]
        match asked.method, what:
            case (("GET" | "HEAD"), _):
                return self._read(asked, name, what, ref)
            case "PUT", "manifests":
                return self._put_manifest(asked, name, ref)
            case (("POST" | "PATCH" | "PUT"), "blobs") if ref.startswith(UPLOADS):
                return self._upload(asked, name, ref.removeprefix(UPLOADS))
        return _fault(HTTPStatus.METHOD_NOT_ALLOWED, "UNSUPPORTED", "the operation is unsupported")

    def _read(self, asked: Asked, name: str, what: str, ref: str) -> Reply:
        if what == "referrers" and self.without_referrers is not None:
            return Reply(HTTPStatus(self.without_referrers))
        repository = self.repositories.get(name)
        if repository is None:
            return _fault(HTTPStatus.NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry")
        match what:
            case "tags":
                return self._tags(asked, name, repository)
            case "referrers":
                return self._referrers(asked, name, ref)
            case "blobs":
                return _held(repository.blobs.get(ref), ref, "BLOB_UNKNOWN")
        digest = repository.tags.get(ref, ref)
        held = repository.manifests.get(digest)
        if held is not None and not _accepted(held.media_type, asked.accept):
            held = None
        return _held(held, digest, "MANIFEST_UNKNOWN")

    def _tags(self, asked: Asked, name: str, repository: Repository) -> Reply:
        size, after = min(_number(asked, "n", self.page), self.page), asked.query.get("last", "")
        left = sorted(tag for tag in repository.tags if tag > after)
        page, more = left[:size], left[size:]
        link = _link(f"/v2/{name}/tags/list", n=size, last=page[-1]) if more and page else {}
        body = json.dumps({"name": name, "tags": page or None}).encode()
        return Reply(HTTPStatus.OK, body, {"Content-Type": "application/json", **link})

    def _referrers(self, asked: Asked, name: str, subject: str) -> Reply:
        if not DIGEST.fullmatch(subject):
            return _fault(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", f"'{subject[:80]}' is no digest")
        found, wanted = self.repositories[name].referrers(subject), asked.query.get("artifactType")
        if wanted:
            found = [one for one in found if one.get("artifactType") == wanted]
        after = _number(asked, "last", 0)
        page, more = found[after : after + self.page], found[after + self.page :]
        link = _link(f"/v2/{name}/referrers/{subject}", last=after + self.page) if more else {}
        filtered = {"OCI-Filters-Applied": "artifactType"} if wanted else {}
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": page}).encode()
        return Reply(HTTPStatus.OK, body, {"Content-Type": INDEX, **link, **filtered})

    def _put_manifest(self, asked: Asked, name: str, ref: str) -> Reply:
        digest = digest_of(asked.body)
        if ref.startswith("sha256:") and ref != digest:
            return _fault(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", "provided digest did not match uploaded content")
        if not ref.startswith("sha256:") and not TAG.fullmatch(ref):
            return _fault(HTTPStatus.BAD_REQUEST, "TAG_INVALID", f"'{ref[:80]}' is no tag")
        try:
            subject = (json.loads(asked.body).get("subject") or {}).get("digest")
        except (ValueError, AttributeError):
            return _fault(HTTPStatus.BAD_REQUEST, "MANIFEST_INVALID", "manifest invalid")
        repository = self.repositories.setdefault(name, Repository())
        repository.keep(asked.content_type, asked.body, "" if ref == digest else ref)
        told = {"OCI-Subject": subject} if subject and self.without_referrers is None else {}
        place = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
        return Reply(HTTPStatus.CREATED, headers={**place, **told})

    def _upload(self, asked: Asked, name: str, number: str) -> Reply:
        """The three requests of a push in pieces, or two of one in one piece ("Pushing blobs")."""
        if asked.method == "POST":
            number = str(next(self._numbers))
            self._uploads[number] = b""
        elif number not in self._uploads:
            return _fault(HTTPStatus.NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        self._uploads[number] += asked.body
        if "digest" not in asked.query:
            return Reply(HTTPStatus.ACCEPTED, headers={"Location": f"/v2/{name}/blobs/{UPLOADS}{number}"})
        body = self._uploads.pop(number)
        if digest_of(body) != asked.query["digest"]:
            return _fault(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID", "provided digest did not match uploaded content")
        described = self.repositories.setdefault(name, Repository()).blob(body)
        place = {"Location": f"/v2/{name}/blobs/{described['digest']}", "Docker-Content-Digest": described["digest"]}
        return Reply(HTTPStatus.CREATED, headers=place)


def _held(held: Held | None, digest: str, unknown: str) -> Reply:
    if held is None:
        return _fault(HTTPStatus.NOT_FOUND, unknown, f"{unknown.partition('_')[0].lower()} unknown")
    return Reply(HTTPStatus.OK, held.body, {"Content-Type": held.media_type, "Docker-Content-Digest": digest})


def _accepted(media_type: str, accept: str) -> bool:
    """A registry shows a manifest to those alone who say that they can read it; `*/*` says nothing of manifests."""
    return media_type in (one.partition(";")[0].strip() for one in accept.split(","))


def _number(asked: Asked, name: str, otherwise: int) -> int:
    written = asked.query.get(name, "")
    return int(written) if written.isdigit() else otherwise


def _link(path: str, **query: object) -> dict[str, str]:
    return {"Link": f'<{path}?{urlencode(query)}>; rel="next"'}


def _fault(status: HTTPStatus, code: str, message: str) -> Reply:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Reply(status, body, {"Content-Type": "application/json"})
