"""What the message box can complete: commands and their words, taken from the verbs themselves and the catalogue."""

from collections.abc import Iterable, Mapping

from commands.registry import COMMANDS
from commands.wording import OWN_SLASH_COMMANDS
from runbooks.catalogue import Catalogue

Word = dict[str, str]

OPTIONS: Mapping[str, str] = {
    "--dry-run": "show the plan, start nothing",
    "--reason": "why, for those who vote",
    "--at": "start later: --at 18:00",
    "--runbook": "follow another runbook",
}


def vocabulary(catalogue: Catalogue, versions: Mapping[str, str], runbooks: Iterable[str]) -> dict[str, list[Word]]:
    """`commands` and the `verbs` of /release with what they do; `words`: each `{word, kind, about}`, where the kind is
    service, environment, ref or option. `versions` says of each tag what it is."""
    own = [spec for spec in COMMANDS if spec.verb in OWN_SLASH_COMMANDS]
    others = [spec for spec in COMMANDS if spec.verb not in OWN_SLASH_COMMANDS]
    commands = [{"word": f"/{spec.verb}", "about": spec.summary} for spec in own]
    release = {"word": "/release", "about": "status, why, history, help and everything else"}
    return {
        "commands": [*commands, release],
        "verbs": [{"word": spec.verb, "about": spec.summary} for spec in others],
        "words": [
            *({"word": name, "kind": "service", "about": "service"} for name in catalogue.services),
            *({"word": tag, "kind": "ref", "about": about} for tag, about in versions.items()),
            *(
                {"word": name, "kind": "environment", "about": "protected" if entry.protected else "environment"}
                for name, entry in catalogue.environments.items()
            ),
            *({"word": word, "kind": "option", "about": about} for word, about in OPTIONS.items()),
            *({"word": f"--runbook {name}", "kind": "option", "about": "runbook"} for name in sorted(runbooks)),
        ],
    }
