"""What every section of the settings is. Knows nothing of which sections there are."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section: unknown fields are an error, so that a typing slip cannot pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)
