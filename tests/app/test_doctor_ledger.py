"""What the doctor says of the ledger, in the data directory and on a server."""

from app.doctor import Grade, _check_ledger
from app.services import Services
from core.settings import LedgerSettings, Settings
from tests.postgres_server import PASSWORD


def check(folder, **ledger):
    services = Services(Settings(data=folder, ledger=LedgerSettings(**ledger)))
    try:
        return _check_ledger(services)
    finally:
        services.close()


def test_a_ledger_of_the_data_directory_is_not_opened(tmp_path):
    assert check(tmp_path / "data").grade is Grade.OK and not (tmp_path / "data").exists()


def test_a_server_that_answers_is_named_without_its_password(tmp_path, postgres_server):
    found = check(tmp_path, url=postgres_server.new_database(), password=PASSWORD)
    assert found.grade is Grade.OK and "postgresql://attest@" in found.message and PASSWORD not in found.message


def test_a_server_that_does_not_answer_is_a_fault_with_its_remedy(tmp_path):
    found = check(tmp_path, url="postgresql://ann@127.0.0.1:1/attest")
    assert found.grade is Grade.FAULT and "does not answer" in found.message
    assert "ATTEST_LEDGER__URL" in found.remedy
