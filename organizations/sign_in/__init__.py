"""Signing in, with django-allauth: its forms, its pages and its mails."""
