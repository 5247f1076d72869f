"""signature: the digest that will run is signed by whom the catalogue trusts, and was built as it says.

What must be signed is the plan's own digest: pods pull by it. For an index that is the index; a signature at one of its
images says nothing of the others. An attestation is no signature: whoever only scanned an image has not released it.
"""

from dataclasses import dataclass
from datetime import timedelta

from pydantic import Field

from bot.domain.errors import UnreadableError, UntrustedError
from bot.domain.image import COMMIT, Digest, ImageRef
from bot.domain.outcome import Evidence, Failed, Outcome, Succeeded
from bot.domain.plan import Artifact, Plan
from bot.ports.execution import StepContext
from bot.ports.signatures import SignedBy
from runbooks.attestations import Attestations, Item
from runbooks.kinds import FILLED_IN, GateKind, StepSpec
from runbooks.provenance import PROVENANCES, Built, read_provenance, unlike
from runbooks.scan_reports import parsed
from runbooks.statements import BUNDLE, SIMPLE_SIGNING, read_statement
from runbooks.supply_chain import Signatures

SIGNED_TYPE = "https://sigstore.dev/cosign/sign/v1"
"""The predicate type of a signature since cosign 3; it attests nothing but that."""

PAYLOAD_TYPES = frozenset({"cosign container image signature", SIGNED_TYPE})
DIGEST_KEYS = ("docker-manifest-digest", "Docker-manifest-digest")
"""As cosign writes it (containers/image, signature/simple.go), and as its specification does."""

MOST_REASONS = 3


class SignatureSpec(StepSpec):
    """`signatures` are the catalogue's; a plan holds those of its time."""

    signatures: Signatures | None = Field(default=None, description=FILLED_IN)

    def read_aloud(self) -> str:
        whose = f" by {self.signatures.signer}" if self.signatures else ", by whom the catalogue says"
        built = " Its provenance is required." if self.signatures and self.signatures.provenance.required else ""
        return f"The image must be signed{whose}.{built}"


KIND = GateKind(
    name="signature",
    spec=SignatureSpec,
    deadline=timedelta(minutes=10),
    about="The image is signed by the key or identity that the catalogue names, and its provenance fits.",
)


@dataclass(frozen=True, slots=True)
class _Looked:
    """Who signed, empty: nobody who counts; and why others do not count."""

    signer: str
    refused: tuple[str, ...]


class SignatureGate:
    """Checks what is attached to the digest; asks nobody but the registry."""

    def __init__(self, attestations: Attestations) -> None:
        self._attestations = attestations

    async def reconcile(self, context: StepContext) -> Outcome:
        wanted, plan = SignatureSpec.model_validate(context.params).signatures, context.plan
        if wanted is None:
            return Failed("nobody says whose signature it must have; write 'signatures' into sluice.yaml")
        looked = await self._signed(plan, wanted.signer)
        if not looked.signer:
            return Failed(_unsigned(plan, wanted.signer, looked.refused))
        builds, refused = await self._builds(plan, wanted.signer)
        if not builds and wanted.provenance.required:
            why = f" (not counted: {'; '.join(refused[:MOST_REASONS])})" if refused else ""
            return Failed(
                "it has no provenance signed by the same; let the build attach one, as "
                f"`actions/attest-build-provenance` or `cosign attest --type slsaprovenance1` do{why}"
            )
        for built in builds:
            wrong = unlike(built, wanted.provenance, _commit(plan.artifact))
            if wrong:
                return Failed(f"{wrong}; release what the right build made", evidence=_evidence(looked.signer, builds))
        said = "signed, provenance fits" if builds else "signed"
        return Succeeded(said, evidence=_evidence(looked.signer, builds))

    async def _signed(self, plan: Plan, by: SignedBy) -> _Looked:
        repository, digest = ImageRef.parse(plan.artifact.image).repository, plan.artifact.digest
        refused = []
        for item in await self._attestations.items(repository, digest):
            try:
                signer = await self._signer(repository, item, digest, by)
            except (UntrustedError, UnreadableError) as exc:
                # Whoever may push can attach broken signatures; they only must not count.
                refused.append(str(exc))
                continue
            if signer:
                return _Looked(signer, ())
        return _Looked("", tuple(dict.fromkeys(refused)))

    async def _signer(self, repository: str, item: Item, digest: Digest, by: SignedBy) -> str:
        """Who signed the image by this layer; empty: it is no signature. Raises UntrustedError, UnreadableError."""
        if item.media_type == SIMPLE_SIGNING:
            body = await self._attestations.registry.content(repository, item.layer)
            signed = self._attestations.signatures.payload(body, item.proof, by)
            _about(body, digest, str(item))
            return signed.signer
        if not item.media_type.startswith(BUNDLE):
            return ""
        signed = await self._attestations.signed(repository, item, digest, by)
        if not signed.payload_type:
            return signed.signer
        statement = read_statement(signed.payload, signed.payload_type, str(item))
        if statement.predicate_type != SIGNED_TYPE:
            return ""
        if digest not in statement.subjects:
            raise UntrustedError(f"{item} is a signature of another image")
        return signed.signer

    async def _builds(self, plan: Plan, by: SignedBy) -> tuple[tuple[Built, ...], tuple[str, ...]]:
        repository = ImageRef.parse(plan.artifact.image).repository
        attested, refused = await self._attestations.attested(repository, plan.artifact.digest, by)
        statements = (one.statement for one in attested if one.statement.predicate_type in PROVENANCES)
        return tuple(read_provenance(one.predicate_type, one.predicate) for one in statements), refused


def _about(payload: bytes, digest: Digest, source: str) -> None:
    """Raises UntrustedError for a payload about another image, or that is no signature of an image."""
    critical = parsed(payload, source).get("critical")
    image = critical.get("image") if isinstance(critical, dict) else None
    if not isinstance(critical, dict) or not isinstance(image, dict) or critical.get("type") not in PAYLOAD_TYPES:
        raise UntrustedError(f"{source} is signed, but no signature of an image")
    if {image[key] for key in DIGEST_KEYS if key in image} != {digest}:
        raise UntrustedError(f"{source} is a signature of another image")


def _unsigned(plan: Plan, by: SignedBy, refused: tuple[str, ...]) -> str:
    image = f"{ImageRef.parse(plan.artifact.image).repository}@{plan.artifact.digest}"
    how = f"`cosign sign --key … {image}`" if by.key_file else f"`cosign sign {image}` in the build"
    why = f" (not counted: {'; '.join(refused[:MOST_REASONS])})" if refused else ""
    return f"the image is not signed by {by}; sign it with {how}{why}"


def _commit(artifact: Artifact) -> str:
    """The commit it must be built of; empty: nobody knows."""
    return artifact.commit or (artifact.ref if COMMIT.fullmatch(artifact.ref) else "")


def _evidence(signer: str, builds: tuple[Built, ...]) -> tuple[Evidence, ...]:
    lines = [f"signed by {signer}"]
    for built in builds:
        sources = ", ".join(f"{one.repository}@{one.commit[:12]}" for one in built.sources[:MOST_REASONS])
        lines.append(f"built by {built.builder} of {sources or 'no source that it names'}")
    return (Evidence("Signature", tuple(lines)),)
