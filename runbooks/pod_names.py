"""How Kubernetes names the pods of a workload, as regular expressions that Python and RE2 read alike.

Facts: a Deployment's pods are `<name>-<hash of the template>-<5 characters>`, a DaemonSet's `<name>-<5 characters>`, a
StatefulSet's `<name>-<number>`. Hash and suffix are of an alphabet of consonants without y, and of digits from 2
(apimachinery, `util/rand`), so no word such as `canary` can be one; the hash has at most 10 characters. What stands
before the suffix is cut after 58 characters (apiserver, `storage/names`).
"""

from bot.domain.errors import UsageError
from bot.domain.target import WorkloadKind

ALPHABET = "[b-df-hj-np-tv-xz2-9]"
SUFFIX = f"{ALPHABET}{{5}}"
LONGEST_HASH = 10
LONGEST_BASE = 58


def literal(text: str) -> str:
    """A regular expression for this text alone. A dot in brackets needs no backslash, which PromQL would double."""
    return "".join(f"[{char}]" if char in ".+*?()|{}^$" else char for char in text)


def pods_of(kind: WorkloadKind, name: str) -> str:
    """The names of a workload's pods. Raises UsageError for a Deployment whose name leaves no room to tell them."""
    match kind:
        case WorkloadKind.STATEFULSET:
            return f"{literal(name)}-[0-9]+"
        case WorkloadKind.DAEMONSET:
            return f"{literal(name)}-{SUFFIX}"
    room = LONGEST_BASE - len(name) - 1
    if room > LONGEST_HASH:
        return f"{literal(name)}-{ALPHABET}{{1,{LONGEST_HASH}}}-{SUFFIX}"
    if room < 1:
        raise UsageError(f"The name '{name}' is too long: its pods could not be told from others by their names.")
    # The hash, or the hyphen after it, may have been cut off.
    return f"{literal(name)}-{ALPHABET}{{1,{room}}}-?{SUFFIX}"
