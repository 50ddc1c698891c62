import pytest
from django.test import Client

from jobs.models import ProviderAccount
from tests.factories import make_organization, make_user
from tests.jobs.factories import make_account


@pytest.fixture
def admin_client() -> Client:
    """Signed in as somebody who may do all in the Django admin."""
    user = make_user("root@studio.example", is_staff=True)
    user.is_superuser = True
    user.save(update_fields=["is_superuser"])
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def account() -> ProviderAccount:
    return make_account(
        make_organization("north"),
        name="main",
        credentials={"api_key": "canary-key", "webhook_secret": "canary-webhook"},
        hook_secret="canary-hook",
    )
