"""The person who signs in, known by an e-mail address."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from organizations.fields import NormalizedEmailField


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user; without a password nobody can sign in as them until they set one.

        Raises ValueError without an address, IntegrityError when it is taken in any case.
        """
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user of the Django admin; a member of no organization all the same."""
        fields |= {"is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **fields)


class Theme(models.TextChoices):
    SYSTEM = "system", "As the device"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class User(AbstractBaseUser, PermissionsMixin):
    email = NormalizedEmailField(
        "e-mail address",
        unique=True,
        error_messages={"unique": "A user with this e-mail address already exists."},
    )
    name = models.CharField(max_length=150, blank=True)
    # a name of the IANA database; empty until the browser has reported one
    time_zone = models.CharField(max_length=64, blank=True)
    theme = models.CharField(max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    has_shortcuts = models.BooleanField("keyboard shortcuts", default=True)
    is_staff = models.BooleanField(
        "staff status", default=False, help_text="Can open the Django admin."
    )
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text="Clear this instead of deleting the user, so that history keeps the name.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            # Holds for rows that come in past the field, too: raw SQL, a restored dump
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique_in_any_case",
                violation_error_message="A user with this e-mail address already exists.",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def display_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        """What the Django admin greets with."""
        return self.display_name
