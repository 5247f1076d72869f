"""YAML with positions, and what is refused in it."""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.source import MAX_BYTES, Fault, Faults, Limits, Place, Severity, did_you_mean, read, read_file, unknown


def said(text: str | bytes) -> str:
    """The faults of a text, as they are printed."""
    raw = text if isinstance(text, bytes) else dedent(text).encode()
    with pytest.raises(Faults) as caught:
        read(raw, "f.yaml")
    return str(caught.value)


def test_reads_plain_values() -> None:
    """Text, numbers, truth and nothing come out as JSON has them; `yes` is a word and a date is text."""
    document = read(b"{a: x, b: 1, c: 1.5, d: true, e: ~, f: [yes, 2026-01-31], g: {h: '1'}, i: 0x1F, j: 017}", "f")
    assert document.value == {
        "a": "x",
        "b": 1,
        "c": 1.5,
        "d": True,
        "e": None,
        "f": ["yes", "2026-01-31"],
        "g": {"h": "1"},
        "i": 31,
        "j": 17,
    }


def test_folded_text_is_folded_and_nothing_else() -> None:
    """A folded paragraph becomes one line without marks of the reader."""
    assert read(b"about: >\n  one\n  two\n", "f").value == {"about": "one two\n"}


def test_knows_where_keys_and_values_stand() -> None:
    """Lines and columns count from one; a list item's key is where the item begins."""
    document = read(b"a:\n  b: x\n  c:\n  - d\n", "f")
    assert document.keys["a", "b"] == Place(2, 3)
    assert document.values["a", "b"] == Place(2, 6)
    assert document.keys["a", "c", 0] == Place(4, 5)


def test_a_fault_of_something_absent_stands_at_its_parent() -> None:
    """A missing key is told where it would have been written."""
    document = read(b"a:\n  b: x\n", "f.yaml")
    assert str(document.fault(("a", "c", 3), "a lacks 'c'")) == "f.yaml:1:1: a lacks 'c'"


def test_an_empty_file_is_nothing() -> None:
    """Nothing written is no value, not an error of the reader."""
    assert read(b"", "f").value is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: b: c", "f.yaml:1:5: is not YAML: mapping values are not allowed here"),
        ("a: 1\na: 2", "f.yaml:2:1: 'a' is written twice in one mapping"),
        ("a: &x [1]\nb: *x", "f.yaml:1:4: anchors and aliases are not read; write the value out"),
        ("b: *x", "f.yaml:1:4: anchors and aliases are not read; write the value out"),
        ("<<: {a: 1}", "f.yaml:1:1: a key must be plain text"),
        ("? [a]\n: 1", "f.yaml:1:3: a key must be plain text"),
        ("a: !python/object x", "f.yaml:1:4: the tag !python/object is not read; write the value plainly"),
        ("a: !!set {b}", "f.yaml:1:4: the tag tag:yaml.org,2002:set is not read; write the value plainly"),
        ("a: !odd [b]", "f.yaml:1:4: the tag !odd is not read; write the value plainly"),
        ("a: .nan", "f.yaml:1:4: '.nan' is not a number; quote it if it is text"),
        ("a: 1\nb: \x07", "f.yaml:2:1: holds a character that YAML forbids (code 7)"),
        ('a: "\\UFFFFFFFF"', "f.yaml:1:1: holds an escape that names no character"),
        ('a: "\\uD800"', "f.yaml:1:4: holds half a surrogate pair, which is no text"),
        (b"a: 1\nb: \xff", "f.yaml:2:1: is not UTF-8 text"),
        ("[" * 50, "f.yaml:1:41: is nested more than 40 levels deep"),
    ],
)
def test_refuses_what_hides_or_multiplies_text(text: str | bytes, fault: str) -> None:
    """Each refusal names its place and, where there is one, the way out."""
    assert said(text) == fault


def test_two_documents_are_not_one() -> None:
    """The second document of a file would be dropped unseen."""
    assert said("a: 1\n---\nb: 2\n").startswith("f.yaml:2:1: is not YAML: ")


def test_a_bomb_is_refused_before_it_grows() -> None:
    """Nine levels of ten aliases would be a billion values; the first anchor ends it."""
    levels = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert said("\n".join(levels)) == "f.yaml:1:5: anchors and aliases are not read; write the value out"


def test_a_huge_file_is_refused() -> None:
    """The limit is a mebibyte, to the byte."""
    assert said(b"#" * (MAX_BYTES + 1)) == "f.yaml:1:1: is larger than 1,048,576 bytes"
    assert read(b"#" * MAX_BYTES, "f").value is None


def test_aliases_are_followed_where_what_they_repeat_is_bounded() -> None:
    """Each time counts, and what holds itself has no end."""
    limits = Limits(most_values=10, deepest=5)
    assert read(b"a: &a {b: 1}\nc: [*a, *a]\n", "f", limits).value == {"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}
    with pytest.raises(Faults, match="f:1:4: holds more than 10 values, with what its aliases repeat"):
        read(b"a: &a [1, 2, 3]\nb: [*a, *a]\n", "f", limits)
    with pytest.raises(Faults, match="is nested more than 5 levels deep"):
        read(b"a: &a {b: *a}\n", "f", limits)
    with pytest.raises(Faults, match="is larger than 3 bytes"):
        read(b"a: 1", "f", Limits(most_bytes=3))


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    """What cannot be opened is told like everything else that is wrong with it."""
    with pytest.raises(Faults, match=r"sluice\.yaml:1:1: cannot be read: No such file"):
        read_file(tmp_path / "sluice.yaml", shown_as="sluice.yaml")


def test_faults_are_told_once_and_in_order() -> None:
    """By file, line and column, without repeats."""
    late, early = Fault("f", 9, 1, "late"), Fault("f", 2, 5, "early", "do this", Severity.WARNING)
    assert str(Faults([late, early, late])) == "f:2:5: warning: early; do this\nf:9:1: late"


def test_offers_the_nearest_word() -> None:
    """A near word, else the few there are, else nothing."""
    assert did_you_mean("imagee", ["image", "channel"]) == "did you mean 'image'?"
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("zzz", [f"service-{n}" for n in range(13)]) == ""
    assert unknown("There is no service 'zzz'", "zzz", []) == "There is no service 'zzz'."


@given(st.text(alphabet="ab:-[]{}!&*%'\"\n\t #|>?0x1.e,~\\<@`U") | st.text() | st.binary())
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    """Nothing that a person can save makes the reader fail in another way."""
    raw = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    try:
        places = [*read(raw, "f").keys.values()]
    except Faults as faults:
        places = [Place(fault.line, fault.column) for fault in faults.faults]
        refused = True
    else:
        refused = False
    assert all(place.line >= 1 and place.column >= 1 for place in places)
    assert places or not refused
