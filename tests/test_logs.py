"""Logs are one JSON object a line, with the run bound to it, and hold no secret."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from bot import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is one for the whole process: put it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """A constant sentence, its level, its time and its fields."""
    logs.setup()
    logs.get("test_one").info("run ended", phase="succeeded")
    [line] = lines(capsys)
    assert (line["event"], line["level"], line["phase"]) == ("run ended", "info", "succeeded")
    assert line["timestamp"].endswith("Z")


def test_fields_of_a_block_are_in_every_line_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Also in those of libraries; outside it they are gone."""
    logs.setup()
    with logs.bound(run_id="api-prod-1"):
        logs.get("test_two").info("inside")
        logging.getLogger("some.library").warning("inside too")
    logs.get("test_two").info("outside")
    assert [line.get("run_id") for line in lines(capsys)] == ["api-prod-1", "api-prod-1", None]


def test_secrets_are_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    """By the field's name, and by the value's type."""
    logs.setup()
    logs.get("test_three").info("connected", token="xoxb-1", Authorization="Bearer 2", other=SecretStr("xapp-3"))
    [line] = lines(capsys)
    assert (line["token"], line["Authorization"], line["other"]) == ("**hidden**",) * 3


def test_a_fault_is_logged_with_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """On one line still."""
    logs.setup()
    try:
        raise_it()
    except ZeroDivisionError:
        logs.get("test_four").exception("pass broke")
    [line] = lines(capsys)
    assert "ZeroDivisionError" in line["exception"]
    assert "raise_it" in line["exception"]


def raise_it() -> None:
    """A fault of ours."""
    raise ZeroDivisionError("a fault")


def test_libraries_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """What they chat about is nothing to an operator, unless it is a warning."""
    logs.setup("DEBUG")
    logging.getLogger("httpx").info("HTTP Request: GET …")
    logging.getLogger("apscheduler").warning("run time was missed")
    assert [line["event"] for line in lines(capsys)] == ["run time was missed"]


def test_a_level_silences_what_is_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Our own lines too."""
    logs.setup("WARNING")
    logs.get("test_six").info("command handled")
    logs.get("test_six").warning("runs are late")
    assert [line["event"] for line in lines(capsys)] == ["runs are late"]


def test_a_developer_may_read_it_plain(capsys: pytest.CaptureFixture[str]) -> None:
    """Without JSON."""
    logs.setup(json=False)
    logs.get("test_seven").info("run ended", phase="succeeded")
    said = capsys.readouterr().err
    assert "run ended" in said
    assert not said.startswith("{")
