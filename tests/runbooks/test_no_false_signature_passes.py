"""Everything by which a bad, unknown or foreign signature could slip through: the gate never passes it.

Nothing and a lie both stop; only a server that is away is asked again.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.outcome import Failed
from bot.sandbox.registry.blob import Blob
from runbooks.provenance import SLSA_V1
from tests.runbooks.attacks import PATH, Attack, Tampering, asked, attacked, keyless_policy, row
from tests.runbooks.scans import (
    VULN,
    predicate,
)
from tests.signing import (
    BUNDLE_03,
    SIGNED_AT,
    WORKFLOW,
    provenance,
    statement,
    tampered,
)
from tests.sigstore import Sigstore

SIGNATURES: dict[str, Tampering] = {}


def signature_row(name: str, make: Callable[[Attack], Blob], *, tag: str = "", keyless: bool = False) -> None:
    """A row in which somebody attaches one signature."""

    async def tamper(attack: Attack) -> None:
        attack.params = {"signatures": keyless_policy(attack) if keyless else attack.signed["signatures"]}
        await attack.attach(make(attack), tag=tag)

    SIGNATURES[name] = tamper


signature_row("signed by another key", lambda a: a.mallory.simple(a.digest), tag="sig")
signature_row("a bundle of another key", lambda a: a.mallory.bundle(statement(a.digest)))
signature_row("the right key, another image's payload", lambda a: a.ann.simple(a.other), tag="sig")
signature_row("the right key, another image's bundle", lambda a: a.ann.bundle(statement(a.other)))
signature_row(
    "a payload that signs no image", lambda a: a.ann.simple(a.digest, kind="atomic container signature"), tag="sig"
)
signature_row(
    "a signature moved to another payload",
    lambda a: Blob(
        a.ann.simple(a.digest).content, a.ann.simple(a.digest).media_type, a.ann.simple(a.other).annotations
    ),
    tag="sig",
)
signature_row(
    "no signature beside the payload",
    lambda a: Blob(a.ann.simple(a.digest).content, a.ann.simple(a.digest).media_type),
    tag="sig",
)
signature_row("an attestation of the right key", lambda a: a.ann.bundle(statement(a.digest, VULN, predicate(a.digest))))
signature_row("an attestation under cosign's tag", lambda a: a.ann.attestation(statement(a.digest)), tag="att")
signature_row(
    "a bundle tampered with",
    lambda a: tampered(a.ann.bundle(statement(a.other)), a.other[7:].encode(), a.digest[7:].encode()),
)
signature_row("a bundle of another payload type", lambda a: a.ann.bundle(statement(a.digest), kind="text/plain"))
signature_row("malformed JSON in a bundle", lambda _: Blob(b'{"dsseEnvelope": ', BUNDLE_03))
signature_row("an empty bundle", lambda _: Blob(b"{}", BUNDLE_03))
signature_row("a bare signature of other bytes", lambda a: a.ann.bare(b"something else"))
signature_row("a key where an identity is asked for", lambda a: a.ann.bundle(statement(a.digest)), keyless=True)
signature_row(
    "another issuer", lambda a: a.sigstore.signer(issuer="https://gitlab.com").bundle(statement(a.digest)), keyless=True
)
signature_row(
    "another issuer, by cosign's tag",
    lambda a: a.sigstore.signer(issuer="https://gitlab.com").simple(a.digest),
    keyless=True,
    tag="sig",
)
signature_row(
    "a subject that begins alike",
    lambda a: a.sigstore.signer(f"{WORKFLOW}-evil").bundle(statement(a.digest)),
    keyless=True,
)
signature_row(
    "a subject that ends alike",
    lambda a: a.sigstore.signer(f"https://evil.test/?{WORKFLOW}").simple(a.digest),
    keyless=True,
    tag="sig",
)
signature_row(
    "a certificate without its log's receipt",
    lambda a: a.sigstore.signer(logged=False).bundle(statement(a.digest)),
    keyless=True,
)
signature_row(
    "the right identity, another image", lambda a: a.sigstore.signer().bundle(statement(a.other)), keyless=True
)
signature_row(
    "the right identity, another image's payload",
    lambda a: a.sigstore.signer().simple(a.other),
    keyless=True,
    tag="sig",
)


@row(SIGNATURES, "nothing at all")
async def _unsigned(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"]}


@row(SIGNATURES, "nobody says whose signature")
async def _no_policy(attack: Attack) -> None:
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")


@row(SIGNATURES, "the key's file is gone")
async def _no_key(attack: Attack) -> None:
    attack.params = {"signatures": {"key_file": str(attack.ann.folder / "gone.pub")}}
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")


@row(SIGNATURES, "another Sigstore than the one that is trusted")
async def _other_root(attack: Attack) -> None:
    attack.params = {"signatures": keyless_policy(attack)}
    await attack.attach(Sigstore(attack.ann.folder, "theirs").signer().bundle(statement(attack.digest)))


@row(SIGNATURES, "a certificate that was over")
async def _late(attack: Attack) -> None:
    attack.params = {"signatures": keyless_policy(attack)}
    signer = attack.sigstore.signer()
    signer.at = SIGNED_AT + timedelta(days=1)
    await attack.attach(signer.bundle(statement(attack.digest)))


@row(SIGNATURES, "a tag that lists what belongs to another image")
async def _foreign_signature(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"]}
    attack.server.distribution.without_referrers = 404
    found = await attack.attach(attack.ann.bundle(statement(attack.digest)), to=attack.other)
    await attack.pusher.list_referrer(PATH, attack.digest, found)


@row(SIGNATURES, "provenance is required, and there is none")
async def _no_provenance(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"] | {"provenance": {"required": True}}}
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")


@row(SIGNATURES, "provenance of another repository")
async def _other_repository(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"] | {"provenance": {"source": "github.com/acme/api"}}}
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")
    built = provenance(source="https://github.com/acme.evil/api")
    await attack.attach(attack.ann.bundle(statement(attack.digest, SLSA_V1, built)))


@row(SIGNATURES, "provenance that names no builder")
async def _no_builder(attack: Attack) -> None:
    attack.params = {"signatures": attack.signed["signatures"]}
    await attack.attach(attack.ann.simple(attack.digest), tag="sig")
    await attack.attach(attack.ann.bundle(statement(attack.digest, SLSA_V1, {})))


@pytest.mark.parametrize("name", SIGNATURES)
async def test_no_such_signature_passes(name: str, tmp_path: Path) -> None:
    """The same of signatures."""
    attack = await attacked(tmp_path)
    await SIGNATURES[name](attack)
    assert isinstance(await asked(attack, "signature"), Failed | PermanentError | TemporaryError)
