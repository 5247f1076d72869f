"""Needs as the catalogue writes them, and the versions that meet them."""

from pathlib import Path

import pytest
from packaging.version import Version

from runbooks.configuration import load
from runbooks.needs import meets, need, version_of
from runbooks.source import Faults
from tests.runbooks.catalogues import CATALOGUE, written


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (("v1.4.2",), "1.4.2"),
        (("1.4",), "1.4"),
        (("", "9f2c1e7", "v2"), "2"),
        (("1.5.0-rc.1",), "1.5.0rc1"),
        (("9f2c1e7",), None),
        (("1234567",), None),
        (("12a3456",), None),
        (("1234b56", "v2"), "2"),
        (("123c4567",), None),
        (("12A3456",), None),
        (("latest", ""), None),
    ],
)
def test_the_first_name_that_is_a_version(names: tuple[str, ...], version: str | None) -> None:
    """A commit is none, not even one of digits alone, or one that reads like an alpha, a beta or a candidate."""
    found = version_of(*names)
    assert (found and str(found)) == version


@pytest.mark.parametrize(
    ("version", "wanted", "met"),
    [
        ("1.4", ">=1.4", True),
        ("1.3.9", ">=1.4", False),
        ("2.0", ">=1.4,<2", False),
        ("1.9.9", "~=1.4", True),
        ("1.5.0rc1", ">=1.4", True),
        ("1.4.0rc1", ">=1.4", False),
    ],
)
def test_versions_are_compared_by_number(version: str, wanted: str, *, met: bool) -> None:
    """One before its release is older than that."""
    assert meets(Version(version), wanted) is met


@pytest.mark.parametrize("written", ["1.4", "latest", "", ">=", "proved"])
def test_what_is_no_need_is_told(written: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValueError, match=r"write versions such as '>=1\.4,<2', or 'proven'"):
        need(written)


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ("{apy: proven}", "there is no other service 'apy'; did you mean 'api'?"),
        ("{web: proven}", "there is no other service 'web'"),
        ('{api: "1.4"}', "'1.4' is no need"),
    ],
)
def test_a_slip_in_the_catalogue_is_told(tmp_path: Path, needs: str, said: str) -> None:
    """A service needs others, and not itself."""
    line = "    workload: daemonset/web\n"
    assert line in CATALOGUE
    with pytest.raises(Faults) as caught:
        load(written(tmp_path, CATALOGUE.replace(line, f"{line}    needs: {needs}\n")))
    assert said in str(caught.value)
