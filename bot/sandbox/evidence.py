"""What speaks for each version of the sandbox, and what does not: commits with checks, signatures, scan reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.sandbox import scenery
from bot.sandbox.github.history import Author
from bot.sandbox.github.server import GitHubServer
from bot.sandbox.registry.documents import Vulnerability, trivy_report
from bot.sandbox.registry.server import RegistryServer
from bot.sandbox.registry.signing import ImageSigner

BUILT = datetime.fromisoformat("2026-01-05T09:00:00+00:00")
"""When the first version was built; each further one a day later. Fixed, so that digests stay the same."""

REVISION = "org.opencontainers.image.revision"
CHECKS = ("build", "test", "lint")
UNTESTED, VULNERABLE, UNSIGNED = "sha140", "sha141", "sha142"
FINDING = Vulnerability("CVE-2026-1234", "CRITICAL", fixed="3.0.2")

ANN, BOB, DAVE = (Author(name.capitalize(), f"{name}@acme.example", name) for name in ("ann", "bob", "dave"))
WORK: Mapping[str, tuple[Author, str]] = {
    "sha100": (BOB, "The catalogue answers in pages"),
    "sha123": (DAVE, "Prices are rounded once, at the end"),
    "sha124": (ANN, "Orders remember who placed them"),
}
"""Who wrote a version, and what for; of all others dave says that he tries something."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where it is put: the registry, the GitHub, and whose key signs."""

    registry: RegistryServer
    github: GitHubServer
    signer: ImageSigner

    def give(self, service: str, *, now: datetime) -> None:
        """All versions of a service into the registry, with what there is about each. `now`: when they were scanned."""
        project = f"acme/{service}"
        for number, tag in enumerate(scenery.VERSIONS):
            commit = self._commit(project, tag)
            digest = self.registry.push(project, tag, labels={REVISION: commit}, created=BUILT + timedelta(days=number))
            if tag != UNSIGNED:
                self.registry.sign(project, digest, self.signer)
            findings = [FINDING] if tag == VULNERABLE else []
            self.registry.attach(project, digest, trivy_report(f"{project}:{tag}", digest, findings, at=now))

    def _commit(self, project: str, tag: str) -> str:
        repository = self.github.repository(project)
        author, message = WORK.get(tag, (DAVE, f"Try something ({tag})"))
        commit = repository.commit(message, author=author, tag=tag)
        for check in CHECKS:
            fails = tag == UNTESTED and check == "test"
            repository.check(commit, check, "failure" if fails else "success")
        return commit
