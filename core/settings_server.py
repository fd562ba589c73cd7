"""Settings of the REST API. Knows names and numbers; nothing of what is done with them."""

from pydantic import Field, SecretStr

from core.settings_section import Section


class ServerSettings(Section):
    """The REST API."""

    host: str = Field("127.0.0.1", description="elsewhere than loopback an API key is demanded")
    port: int = Field(8765, ge=0, le=65535, description="port of the API")
    max_upload_mb: float = Field(64.0, gt=0, description="largest upload")
    max_question_chars: int = Field(4000, ge=1, description="longest question")
    max_waiting_files: int = Field(
        1000, ge=1, description="while so many files wait to be read, uploads with wait=false are refused"
    )
    questions_per_minute: int = Field(600, ge=0, description="questions that one user may ask in a minute; 0: no limit")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="bearer that may read /metrics and nothing else, 16 characters or more; empty: only keys of admins may"
    )
    resume_s: float = Field(
        30.0, ge=0, le=3600, description="how long a streamed answer waits for a client that lost the line; 0: who leaves cancels it"
    )
