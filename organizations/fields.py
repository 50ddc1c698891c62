"""The e-mail address as a name to sign in by: one spelling, whatever case it was typed in."""

from typing import Any

from django.db import models


def normalize_email(value: str) -> str:
    """The one spelling under which an address is stored and looked up.

    RFC 5321 lets a host distinguish `Ann@` from `ann@`; none does, and people type both.
    """
    return value.strip().lower()


class NormalizedEmailField(models.EmailField[str, str]):
    """Normalizes what is written and what is looked up, so no caller has to remember to."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normalize_email(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        # the object in memory reads like its row, without a second query
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
