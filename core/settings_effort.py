"""Settings of what one question may take. Knows names and numbers; the levels themselves are in the agent."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from core.settings_section import Section

EffortName = Literal["quick", "standard", "deep"]


class EffortSettings(Section):
    """Where one question ends at each effort, in place of what comes with Attest (docs/how-it-answers.md)."""

    model_calls: dict[EffortName, PositiveInt] = Field({}, description='calls of the chat model, as JSON: {"deep": 200}')
    tokens: dict[EffortName, PositiveInt] = Field({}, description="tokens that the chat model reads and writes, as JSON")
    seconds: dict[EffortName, PositiveFloat] = Field({}, description="seconds after which no more is asked of the chat model, as JSON")
