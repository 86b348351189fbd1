"""Which code a failed connection has, by what psycopg says of it."""

import pytest

from cxr_app.worklist.database_errors import connection_code

PREFIX = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('FATAL:  role "cxr" does not exist', "28000"),
        ('FATAL:  database "cxr" does not exist', "3D000"),
        ('FATAL:  password authentication failed for user "cxr"', "28000"),
        ("FATAL:  sorry, too many clients already", "53300"),
        ("FATAL:  remaining connection slots are reserved for roles with ...", "53300"),
        ("FATAL:  the database system is starting up", "57P03"),
        ("FATAL:  the database system is shutting down", "57P03"),
        ("FATAL:  Rolle »cxr« existiert nicht", "08004"),
        ('ВАЖНО:  роль "cxr" не существует', "08004"),
        ('致命的エラー:  ロール"cxr"は存在しません', "08004"),
        ("Connection refused\n\tIs the server running on that host?", "08000"),
        ("timeout expired", "08000"),
    ],
)
def test_a_server_that_answers_is_not_said_to_be_out_of_reach(said: str, code: str) -> None:
    assert connection_code(OSError(PREFIX + said)) == code


def test_an_address_that_was_not_found_cannot_be_reached() -> None:
    said = "failed to resolve host 'nowhere.invalid': [Errno -2] Name or service not known"
    assert connection_code(OSError(said)) == "08000"
