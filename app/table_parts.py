"""How answers from tables are made of other parts. Knows builders and the settings; holds no logic."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.tables.reading import TableReader
    from app.services import Services


def build_table_reader(services: "Services") -> "TableReader":
    """What answers from the kept tables of documents."""
    from agents.tables.reading import TableReader

    return TableReader(services.tables(), services.store(), services.settings.tables)
