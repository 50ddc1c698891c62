"""The pages of django-allauth that this site offers, below `/accounts/`."""

from allauth.account import urls as allauth_urls

# Whoever makes a user vouches for the address, and history calls people by it: nobody changes
# their own to one that was never proven to be theirs.
CLOSED = {"account_email", "account_email_verification_sent", "account_confirm_email"}

urlpatterns = [pattern for pattern in allauth_urls.urlpatterns if pattern.name not in CLOSED]
