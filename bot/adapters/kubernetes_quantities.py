"""Amounts as Kubernetes writes them: `500m`, `2`, `0.5`, `1e3`, `64Mi`. Pure.

The suffixes are those of apimachinery's `resource.Quantity`: decimal ones, binary ones, or an exponent.
"""

import re

WRITTEN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?")
DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def amount(written: object) -> float:
    """The number that a quantity means, in its unit (cores, bytes). Raises ValueError."""
    read = WRITTEN.fullmatch(str(written))
    if read is None:
        raise ValueError(f"'{written}' is not an amount such as 500m")
    number, suffix = float(read[1]), read[2] or ""
    if suffix in BINARY:
        return number * 1024.0 ** (BINARY.index(suffix) + 1)
    exponent = DECIMAL[suffix] if suffix in DECIMAL else int(suffix[1:] or 0)
    # A whole power divides exactly where a negative one would not: 500m is a half, not nearly.
    return float(number * 10**exponent if exponent >= 0 else number / 10**-exponent)
