"""What went wrong with a job."""

from django import template

from jobs.display.errors import first_error

register = template.Library()
register.filter("first_error", first_error)
