"""The sections `signatures` and `vulnerabilities` of the catalogue, and what of them is sealed into a plan's gates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from pydantic import Field, field_validator, model_validator

from bot.domain.errors import UsageError
from bot.domain.json import Json, JsonObject
from bot.ports.signatures import SignedBy
from runbooks.parts import Part

SIGNATURE, VULNERABILITIES = "signature", "vulnerabilities"


class VulnerabilityException(Part):
    """A finding that is put up with."""

    id: str = Field(min_length=1, max_length=100, description="Its id, such as `CVE-2026-1234`.")
    reason: str = Field(min_length=1, max_length=300, description="Why.")
    author: str = Field(min_length=1, max_length=100, description="Who answers for it.")
    until: date = Field(description="The last day on which it holds (UTC).")

    @field_validator("until", mode="before")
    @classmethod
    def _a_day(cls, written: object) -> object:
        """A bare number would be taken for seconds since 1970."""
        if isinstance(written, str):
            try:
                return date.fromisoformat(written)
            except ValueError as exc:
                raise ValueError(f"'{written}' is not a day; write it like 2026-12-31") from exc
        if not isinstance(written, date):
            raise ValueError(f"'{written}' is not a day; write it like 2026-12-31")  # noqa: TRY004 - pydantic collects ValueError only
        return written

    def covers(self, finding: str) -> bool:
        """Whether it is about a finding with this id."""
        return self.id.lower() == finding.lower()

    def over(self, now: datetime) -> bool:
        """Whether its last day has passed."""
        return now.date() > self.until

    def __str__(self) -> str:
        return f"{self.id} until {self.until} ({self.reason}; {self.author})"


class VulnerabilityRules(Part):
    """What the gate `vulnerabilities` knows besides its own parameters."""

    exceptions: tuple[VulnerabilityException, ...] = Field(default=(), description="Findings that are put up with.")


class Provenance(Part):
    """How an image must have been built, as its SLSA provenance says. `required`: there must be one; else it is only
    checked where there is one. `builder`: the builder's id, or a pattern; empty: any. `source`: the repository it was
    built from, without scheme; empty: the service's own `repository`."""

    required: bool = False
    builder: str = ""
    source: str = ""


class Signatures(Part):
    """Whose signature an image must have: the holder's of a key (`key_file`: the public one, PEM), or an identity's
    (`issuer` and `subject`). `trusted_root_file`: who vouches for identities, in Sigstore's format; `None`: the public
    Sigstore, as of the release of Sluice's library."""

    key_file: str | None = Field(
        default=None, description="The public key, PEM; either this, or `issuer` and `subject`."
    )
    issuer: str | None = Field(default=None, description="Who vouched for the identity, exactly.")
    subject: str | None = Field(default=None, description="The identity, or a pattern.")
    trusted_root_file: str | None = None
    provenance: Provenance = Field(default=Provenance(), description="How images must have been built.")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if (self.issuer is None) != (self.subject is None):
            raise ValueError("'issuer' and 'subject' belong together: everybody could have the same subject elsewhere")
        if (self.key_file is None) == (self.issuer is None):
            raise ValueError("name either 'key_file', or 'issuer' and 'subject'")
        if self.key_file is not None and self.trusted_root_file is not None:
            raise ValueError("'trusted_root_file' is for identities; a key needs nobody to vouch for it")
        if self.subject is not None and not self.subject.strip("*"):
            raise ValueError(f"the subject '{self.subject}' is everybody; write whose signature it must be")
        return self

    @property
    def signer(self) -> SignedBy:
        """The same, as those who check it take it."""
        return SignedBy(self.key_file or "", self.issuer or "", self.subject or "", self.trusted_root_file or "")


@dataclass(frozen=True, slots=True)
class SupplyChain:
    """What the catalogue says of one service's images."""

    service: str = ""
    signatures: Signatures | None = None
    exceptions: tuple[VulnerabilityException, ...] = ()
    repository: str = ""

    def sealed(self, kind: str, params: Mapping[str, Json]) -> JsonObject:
        """A gate's parameters with what the catalogue adds: always the catalogue's, whatever a runbook wrote there.

        Raises UsageError with the line to write, when a gate cannot be judged without.
        """
        made = dict(params)
        wants = kind == SIGNATURE or (kind == VULNERABILITIES and made.get("signed") is True)
        if wants and self.signatures is None:
            raise UsageError(
                f"The gate '{kind}' cannot tell whose signature {self.service} must have.",
                hint="Write 'signatures: {key_file: /etc/sluice/cosign.pub}' or 'signatures: {issuer: …, subject: …}' "
                "into sluice.yaml, at its top or at the service.",
            )
        if wants and self.signatures is not None:
            made["signatures"] = self._placed(self.signatures).model_dump(mode="json")
        if kind == VULNERABILITIES:
            made["exceptions"] = [each.model_dump(mode="json") for each in self.exceptions]
        return made

    def _placed(self, signatures: Signatures) -> Signatures:
        """With the service's own repository as the source of its builds, where nothing else is said."""
        if signatures.provenance.source or not self.repository:
            return signatures
        provenance = signatures.provenance.model_copy(update={"source": self.repository})
        return signatures.model_copy(update={"provenance": provenance})
