"""Settings are read once, from the environment or from files; secrets are never shown."""

from pathlib import Path

import pytest

from bot.domain.errors import SetupError
from bot.settings import Settings

SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
OURS = ("CONFIG", "DATABASE_URL", "HOST", "PORT", "LOG_LEVEL", "LOG_JSON", "REGISTRY_CONFIG", "AS", "SECRETS_DIR")


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is set but what a test sets."""
    for name in (*SECRETS, *(f"SLUICE_{ours}" for ours in OURS), "SLACK_API_URL"):
        monkeypatch.delenv(name, raising=False)


def test_everything_has_a_default_but_the_secrets() -> None:
    """A clone runs without a file of variables."""
    settings = Settings.read()
    assert settings.config == Path("sluice.yaml")
    assert settings.database_url == "sqlite+aiosqlite:///sluice.db"
    assert (settings.port, settings.log_level, settings.log_json) == (8080, "INFO", True)
    assert settings.slack_bot_token is None


@pytest.mark.parametrize(
    ("usual", "ours"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://h/d?sslmode=require", "postgresql+asyncpg://h/d?ssl=require"),
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
    ],
)
def test_the_usual_spelling_of_a_database_is_enough(monkeypatch: pytest.MonkeyPatch, usual: str, ours: str) -> None:
    """Nobody has to know our driver."""
    monkeypatch.setenv("SLUICE_DATABASE_URL", usual)
    assert Settings.read().database_url == ours


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever settings are shown; blanks around them are none of them."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "  xoxb-1-real\n")
    settings = Settings.read()
    assert "real" not in f"{settings!r} {settings}"
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1-real"


@pytest.mark.parametrize("value", ["xoxb-your-token", "changeme", "<paste it here>", "xoxb-xxx"])
def test_a_placeholder_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """With the variable's name, and without its value."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", value)
    with pytest.raises(SetupError, match=r"SLACK_BOT_TOKEN: .*still holds a placeholder") as caught:
        Settings.read()
    assert value not in str(caught.value)


def test_an_empty_secret_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that was set to nothing chooses no mode."""
    monkeypatch.setenv("SLACK_APP_TOKEN", "  ")
    assert Settings.read().slack_app_token is None


def test_all_faults_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its variable."""
    monkeypatch.setenv("SLUICE_PORT", "99999")
    monkeypatch.setenv("SLUICE_LOG_LEVEL", "loud")
    with pytest.raises(SetupError) as caught:
        Settings.read()
    assert "SLUICE_PORT: Input should be less than or equal to 65535" in str(caught.value)
    assert "SLUICE_LOG_LEVEL: Value error, must be DEBUG, INFO, WARNING or ERROR" in str(caught.value)


def test_a_level_may_be_in_small_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """As people type it."""
    monkeypatch.setenv("SLUICE_LOG_LEVEL", "debug")
    assert Settings.read().log_level == "DEBUG"


def test_secrets_may_be_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One file a secret, named like its variable, as Kubernetes mounts them."""
    (tmp_path / "SLACK_BOT_TOKEN").write_text("xoxb-1-file\n")
    monkeypatch.setenv("SLUICE_SECRETS_DIR", str(tmp_path))
    token = Settings.read().slack_bot_token
    assert token is not None
    assert token.get_secret_value() == "xoxb-1-file"


def test_serving_needs_a_bot_token() -> None:
    """It says where to get it."""
    with pytest.raises(SetupError, match="SLACK_BOT_TOKEN is not set; install the app"):
        Settings.read().require_slack()


def test_serving_needs_a_way_to_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signing secret for HTTP, or an app token for a socket."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1-real")
    with pytest.raises(SetupError, match="SLACK_SIGNING_SECRET for HTTP mode, or SLACK_APP_TOKEN"):
        Settings.read().require_slack()
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "s3cret")
    assert Settings.read().require_slack().get_secret_value() == "xoxb-1-real"
