"""Everything by which a break could slip through: strange, hostile and missing documents. None of them ever passes."""

import json
from collections.abc import Callable

import pytest

from bot.domain.errors import PermanentError
from bot.domain.outcome import Failed, Outcome
from bot.domain.plan import Artifact, Previous
from bot.ports.image_registry import REVISION
from bot.ports.image_registry import Place as Where
from bot.ports.source_files import MOST_BYTES
from tests.builders import REPOSITORY
from tests.runbooks.apis import BROKEN, ITEMS, YAML_TYPE, answering, api, attached
from tests.runbooks.test_gate_compatibility import NEW_SHA, OLD_SHA, SOURCE, Desk, both

EMPTY = api()
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
DEEP = b'{"a": ' * 200 + b"1" + b"}" * 200
CHAIN = {
    f"S{n}": {"type": "object", "properties": {"a": {"$ref": f"#/components/schemas/S{n + 1}"}}} for n in range(900)
}
FORMS = {
    f"F{n}": {"oneOf": [{"type": "object", "properties": {"a": {"$ref": f"#/components/schemas/F{n + 1}"}, f"k{k}": {}}}
                        for k in range(6)]}
    for n in range(14)
}  # fmt: skip
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"

DOCUMENTS: dict[str, str | bytes] = {
    "nothing": "",
    "only a comment": "# openapi: 3.1.0\n",
    "a list": "[]",
    "a page to sign in": "<!DOCTYPE html><html><body>Sign in</body></html>",
    "a pointer of Git LFS": POINTER,
    "Swagger 2.0": ITEMS.replace("openapi: 3.1.0", "swagger: '2.0'"),
    "a version of tomorrow": ITEMS.replace("3.1.0", "4.0.0"),
    "a version that is a number": ITEMS.replace("3.1.0", "3.1"),
    "no operations": EMPTY,
    "paths that are null": "openapi: 3.1.0\npaths:\n",
    "paths that are a list": "openapi: 3.1.0\npaths: []\n",
    "cut off": ITEMS[:-60],
    "JSON that is cut off": answering({"type": "string"})[:-5],
    "two documents in one": f"{ITEMS}---\n{ITEMS}",
    "a key that is written twice": f"{ITEMS}paths: {{/a: {{get: {{}}}}}}\n",
    "a key that is written twice in JSON": b'{"openapi": "3.1.0", "paths": {"/a": {"get": {}}}, "paths": {}}',
    "no number": b'{"openapi": "3.1.0", "paths": {"/a": {"get": {}}}, "x": NaN}',
    "not UTF-8": ITEMS.encode("utf-16"),
    "bytes": bytes(range(256)),
    "a packed folder": b"\x1f\x8b\x08\x00" + b"\x00" * 50,
    "aliases that multiply": f"{ITEMS}{BOMB}",
    "an alias of itself": f"{ITEMS}x: &x [*x]\n",
    "a tag that makes objects": f"{ITEMS}x: !!python/object/apply:os.system [id]\n",
    "too deep": DEEP,
    "much too deep": b'{"a":' * 100_000,
    "YAML that is too long": ITEMS + "# " + "x" * 1024 * 1024,
    "more bytes than are read": b" " * (MOST_BYTES + 1) + ITEMS.encode(),
    "a reference to another file": ITEMS.replace("#/components/schemas/Item", "items.yaml#/Item"),
    "a reference to the network": ITEMS.replace("#/components/schemas/Item", "https://evil.test/item.json"),
    "a reference to nothing": ITEMS.replace("schemas/Item'", "schemas/Other'"),
    "a reference to itself": ITEMS.replace("type: object", "$ref: '#/components/schemas/Item'"),
    "parts that hold themselves": ITEMS.replace("type: object", "allOf: [{$ref: '#/components/schemas/Item'}]"),
    "a chain without end": answering({"$ref": "#/components/schemas/S0"}, **CHAIN, S900={"type": "string"}),
    "forms that multiply": answering({"$ref": "#/components/schemas/F0"}, **FORMS, F14={"type": "string"}),
    "a schema that is text": answering("string"),
    "required that holds objects": answering({"type": "object", "required": [{"a": 1}], "properties": {"a": 1}}),
    "a number beyond all": answering({"maximum": 10**400}),
    "names that are no text": api(**{"/a": {"get": {"parameters": [{"in": {}, "name": [], "schema": 1}]}}}),
}
"""What is written as a document, and is none that could be compared; in the place of the new one or of the old one."""


async def outcome_of(desk: Desk, **asked: object) -> Outcome | PermanentError:
    """What the gate says, or why it can say nothing."""
    try:
        return await desk.asked(**asked)  # type: ignore[arg-type]
    except PermanentError as exc:
        return exc


@pytest.mark.parametrize("broken", ["new", "old", "both"])
@pytest.mark.parametrize("name", DOCUMENTS)
async def test_what_cannot_be_compared_never_passes(name: str, broken: str) -> None:
    """Whichever of the two it is, and even where both are alike."""
    strange = DOCUMENTS[name]
    found = await outcome_of(both(ITEMS if broken == "new" else strange, ITEMS if broken == "old" else strange))
    if broken == "old" and isinstance(found, Failed):
        assert "breaking change" in found.reason  # what of it could be read is gone
        return
    assert isinstance(found, PermanentError)
    which = "`v1`, which runs now," if broken == "old" else "`v2`"
    assert str(found).startswith(f"the OpenAPI document of {which} cannot be compared: ")


Twist = Callable[[Desk], dict[str, object] | None]


def two_attached(desk: Desk) -> None:
    """Somebody adds another document beside the one that tells of the break."""
    desk.attach(desk.new, ITEMS, typed="application/openapi+yaml")


def only_to_another(desk: Desk) -> dict[str, object]:
    """The document hangs at another image."""
    other = desk.registry.push(REPOSITORY, "v3")
    return {"changes": {"artifact": Artifact(f"{REPOSITORY}:v3@{other}", other, "v3")}}


def several_files(desk: Desk) -> dict[str, object]:
    """An artifact with two files, of which the first breaks nothing."""
    image = desk.registry.push(REPOSITORY, "v3")
    desk.registry.attach(REPOSITORY, image, [attached(ITEMS), attached(BROKEN)], artifact_type=YAML_TYPE)
    return {"changes": {"artifact": Artifact(f"{REPOSITORY}:v3@{image}", image, "v3")}}


def in_cosigns_tag(desk: Desk) -> dict[str, object]:
    """A document in the place of attestations."""
    image = desk.registry.push(REPOSITORY, "v3")
    desk.registry.attach(REPOSITORY, image, [attached(ITEMS)], artifact_type=YAML_TYPE, place=Where.ATTESTATION)
    return {"changes": {"artifact": Artifact(f"{REPOSITORY}:v3@{image}", image, "v3")}}


def other_bytes(desk: Desk) -> dict[str, object]:
    """The registry sends other bytes than the digest says."""
    image = desk.registry.push(REPOSITORY, "v3")
    good = attached(f"{ITEMS}# once more\n")
    desk.registry.attach(REPOSITORY, image, [good], artifact_type=YAML_TYPE)
    desk.registry.damage(REPOSITORY, good.digest)
    return {"changes": {"artifact": Artifact(f"{REPOSITORY}:v3@{image}", image, "v3")}}


def platforms_differ(desk: Desk) -> dict[str, object]:
    """Each image of an index has a document of its own."""
    index = desk.registry.push(REPOSITORY, "v3", platforms=("linux/amd64", "linux/arm64"))
    images = desk.registry._images[REPOSITORY, index].manifests.values()
    for text, image in zip((ITEMS, BROKEN), images, strict=True):
        desk.attach(image, text)
    return {"changes": {"artifact": Artifact(f"{REPOSITORY}:v3@{index}", index, "v3")}}


def known_by_tag(desk: Desk) -> dict[str, object]:
    """Nobody knows which image the tag meant when it was started."""
    return {"changes": {"previous": Previous(f"{REPOSITORY}:v1", "v1")}}


def gone(desk: Desk) -> dict[str, object]:
    """What runs is no longer in the registry."""
    return {"changes": {"previous": Previous(f"{REPOSITORY}:v0@sha256:{'0' * 64}", "v0")}}


def private(desk: Desk) -> None:
    """The registry does not let us read."""
    desk.registry.private.add(REPOSITORY)


def no_file(desk: Desk) -> dict[str, object]:
    """The file came later than the commit that runs."""
    desk.files.write(SOURCE, NEW_SHA, "openapi.yaml", ITEMS.encode())
    desk.files.write(SOURCE, OLD_SHA, "README.md", b"")
    return {"openapi": {"file": "openapi.yaml"}}


def no_commit(desk: Desk) -> dict[str, object]:
    """What runs does not say what it was built from."""
    desk.files.write(SOURCE, NEW_SHA, "openapi.yaml", ITEMS.encode())
    bare = desk.registry.push(REPOSITORY, "bare")
    previous = Previous(f"{REPOSITORY}:bare@{bare}", "bare")
    return {"openapi": {"file": "openapi.yaml"}, "changes": {"previous": previous}}


def branch_for_commit(desk: Desk) -> dict[str, object]:
    """The label that should hold a commit holds the name of a branch."""
    image = desk.registry.push(REPOSITORY, "v3", labels={REVISION: "main"})
    desk.files.write(SOURCE, "main", "openapi.yaml", ITEMS.encode())
    desk.files.write(SOURCE, OLD_SHA, "openapi.yaml", ITEMS.encode())
    artifact = Artifact(f"{REPOSITORY}:v3@{image}", image, "v3")
    return {"openapi": {"file": "openapi.yaml"}, "changes": {"artifact": artifact}}


def no_label(desk: Desk) -> dict[str, object]:
    """The image does not say where its document is."""
    return {"openapi": {"label": "test.api"}}


def label_leads_out(desk: Desk) -> dict[str, object]:
    """The image says that its document is outside of the repository."""
    labels = {REVISION: NEW_SHA, "test.api": "../../acme/other/contents/openapi.yaml"}
    image = desk.registry.push(REPOSITORY, "v3", labels=labels)
    artifact = Artifact(f"{REPOSITORY}:v3@{image}", image, "v3")
    return {"openapi": {"label": "test.api"}, "changes": {"artifact": artifact}}


def foreign_host(desk: Desk) -> dict[str, object]:
    """Nobody knows a server for the repository."""
    return {"openapi": {"file": "openapi.yaml"}, "repository": "git.other.test/acme/api"}


TWISTS: dict[str, tuple[Twist, str]] = {
    "two documents are attached": (two_attached, "2 different ones"),
    "attached to another image": (only_to_another, "none is attached to"),
    "several files": (several_files, "bundle a document of several files into one"),
    "in the place of attestations": (in_cosigns_tag, "none is attached to"),
    "other bytes": (other_bytes, "sent other bytes"),
    "platforms that differ": (platforms_differ, "2 different ones"),
    "known by its tag": (known_by_tag, "known by its tag alone"),
    "gone from the registry": (gone, "has no image sha256:000"),
    "a registry that refuses": (private, "does not let Sluice read"),
    "no file at that commit": (no_file, "has no file openapi.yaml"),
    "no commit": (no_commit, "nobody knows the commit"),
    "a branch instead of a commit": (branch_for_commit, "nobody knows the commit"),
    "no label": (no_label, "has no label test.api"),
    "a label that leads out": (label_leads_out, "not a path inside a repository"),
    "a host that nobody knows": (foreign_host, "No CI server of the catalogue has the repository git.other.test"),
}


@pytest.mark.parametrize("name", TWISTS)
async def test_a_document_that_is_not_where_it_should_be_never_passes(name: str) -> None:
    """Missing, doubled, foreign or hidden: it is told what is wrong, and nothing is taken instead."""
    twist, said = TWISTS[name]
    desk = both(ITEMS, BROKEN)
    found = await outcome_of(desk, **(twist(desk) or {}))
    assert isinstance(found, PermanentError)
    assert said in str(found)


@pytest.mark.parametrize("breaks", ["refuse", "vote"])
async def test_a_break_that_looks_like_yaml_and_like_json_is_the_same(breaks: str) -> None:
    """Neither spaces, nor a mark of byte order, nor the form hide it; and where nobody votes, nothing passes."""
    old, new = answering({"type": "object", "required": ["a"], "properties": {"a": {}}}), answering({"type": "object"})
    for text in (new, b"\n  " + new, b"\xef\xbb\xbf" + new, json.dumps(json.loads(new), indent=1).encode()):
        found = await both(old, text).asked(breaks=breaks, changes={"approval": None})
        assert isinstance(found, Failed)
        assert found.reason.startswith("1 breaking change")
