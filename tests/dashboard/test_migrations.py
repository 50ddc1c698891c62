"""Each app's migration can be applied: most runs of the tests create the tables without it."""

from io import StringIO

import pytest
from django.core.management import call_command


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("app", ["organizations", "jobs", "insights"])
def test_a_migration_has_its_columns_in_an_order_that_works(app: str) -> None:
    output = StringIO()
    call_command("sqlmigrate", app, "0001", stdout=output)
    assert output.getvalue().count("CREATE TABLE") > 3
