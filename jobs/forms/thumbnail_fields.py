"""The fields of the form for a new job that are about its thumbnails."""

import re
from typing import Any

from django import forms

from jobs.submission.timestamps import (
    MAX_TIME_S,
    MAX_TIMESTAMPS,
    read_timestamp,
    write_timestamp,
)
from providers.core.thumbnails import ThumbnailSupport
from providers.core.types import Thumbnails

MAX_COUNT = 100
MAX_PIXELS = 7680
PLACEMENTS = {"count": "Count", "interval_s": "Interval", "timestamps": "At times"}
HINTS = {
    "count": "Number of images, evenly spaced; 0 for none.",
    "interval_s": "Seconds from one image to the next. Empty for none.",
    "timestamps": "Times such as 0:05, 1:30. Empty for none.",
}
# what an empty form begins with, since a field has one value whatever it means
INITIAL = {"count": "4", "interval_s": "5", "timestamps": "0:00, 0:05, 0:10"}
FORMATS = {"jpg": "JPG", "png": "PNG", "webp": "WebP"}
FILTERS = {"none": "None", "blur": "Blur"}
PIXELS_RANGE = f"Enter a number from 1 to {MAX_PIXELS:,}."
NOT_LISTED = "Choose from those listed."
BAD_TIMES = "Enter times such as 0:05 or 1:02:30, with commas between them."


def _pixels(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=1,
        max_value=MAX_PIXELS,
        widget=forms.NumberInput(attrs={"aria-label": label, "placeholder": label.split()[-1]}),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), PIXELS_RANGE),
    )


def _choices(label: str, first: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        initial=[first],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": NOT_LISTED},
    )


class ThumbnailFields(forms.Form):
    """`thumbnails` is a number, an interval or a list of times: `thumbnails_by` says which."""

    # those that the provider offers
    placements: tuple[str, ...] = ()
    thumbnails_by = forms.ChoiceField(
        label="Placed by",
        required=False,
        initial="count",
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": NOT_LISTED},
    )
    thumbnails = forms.CharField(
        required=False,
        max_length=1500,
        initial=INITIAL["count"],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    thumbnails_formats = _choices("Formats", "jpg")
    thumbnails_filters = _choices("Filters", "none")
    thumbnails_width = _pixels("Thumbnail width")
    thumbnails_height = _pixels("Thumbnail height")

    def offer_thumbnails(self, support: ThumbnailSupport) -> None:
        """Show what this provider can make, with the values that it has a use for."""
        self._offer_placements(support.placements)
        for name, labels, offered in (
            ("thumbnails_formats", FORMATS, support.formats),
            ("thumbnails_filters", FILTERS, support.filters),
        ):
            if isinstance(field := self.fields.get(name), forms.MultipleChoiceField):
                field.choices = [(one, labels.get(one, one)) for one in offered]
                given = self.get_initial_for_field(field, name) or ()
                self.initial[name] = [one for one in offered if one in given] or [offered[0]]
        if support.heights and "thumbnails_height" in self.fields:
            heights = [(height, f"{height}p") for height in support.heights]
            choices = [("", "As the largest rendition"), *heights]
            field = self.fields["thumbnails_height"]
            field.widget = forms.Select(attrs={"aria-label": field.label}, choices=choices)

    def _offer_placements(self, placements: tuple[str, ...]) -> None:
        by, field = self.fields["thumbnails_by"], self.fields["thumbnails"]
        assert isinstance(by, forms.ChoiceField)  # noqa: S101 - tells mypy
        self.placements = placements
        by.choices = [(name, PLACEMENTS[name]) for name in placements]
        if len(placements) == 1:
            by.widget = forms.HiddenInput()
            field.help_text = field.help_text or HINTS[placements[0]]
        if self.get_initial_for_field(by, "thumbnails_by") not in placements:
            self.initial["thumbnails_by"] = placements[0]
            # what it was at another provider means something else here
            if self.get_initial_for_field(field, "thumbnails"):
                self.initial["thumbnails"] = INITIAL[placements[0]]

    @property
    def thumbnail_hints(self) -> list[tuple[str, str]]:
        """By placement, what `thumbnails` is."""
        text = str(self.fields["thumbnails"].help_text)
        return [(name, text or HINTS[name]) for name in self.placements]

    @property
    def thumbnail_sizes(self) -> list[forms.BoundField]:
        names = ("thumbnails_width", "thumbnails_height")
        return [self[name] for name in names if name in self.fields]

    def clean_thumbnails(self) -> dict[str, Any]:
        """The placement as a field of Thumbnails; empty for no thumbnails."""
        text = self.cleaned_data["thumbnails"].strip()
        by = self.cleaned_data.get("thumbnails_by") or self.placements[0]
        if by == "timestamps":
            return {by: times} if (times := _read_times(text)) else {}
        if text in ("", "0"):
            return {}
        number = _read_count(text) if by == "count" else _read_interval(text)
        return {by: number} if number else {}

    def read_thumbnails(self) -> Thumbnails | None:
        """The thumbnails of a valid form; None for none."""
        data = self.cleaned_data
        if not data.get("thumbnails"):
            return None
        return Thumbnails(
            **data["thumbnails"],
            formats=tuple(data.get("thumbnails_formats", ())),
            filters=tuple(data.get("thumbnails_filters", ())),
            width=data.get("thumbnails_width"),
            height=data.get("thumbnails_height"),
        )


def thumbnail_values(thumbnails: Thumbnails | None) -> dict[str, Any]:
    """The values of a form that asks for `thumbnails`."""
    if thumbnails is None:
        return {"thumbnails": ""}
    by = thumbnails.placement
    text = str(getattr(thumbnails, by) or "").removesuffix(".0")
    if by == "timestamps":
        text = ", ".join(map(write_timestamp, thumbnails.timestamps))
    return {
        "thumbnails_by": by,
        "thumbnails": text,
        "thumbnails_formats": list(thumbnails.formats),
        "thumbnails_filters": list(thumbnails.filters),
        "thumbnails_width": thumbnails.width,
        "thumbnails_height": thumbnails.height,
    }


def _read_count(text: str) -> int:
    if not re.fullmatch("-?[0-9]+", text):
        raise forms.ValidationError("Enter a whole number.")
    if len(text) > 5 or not 0 <= int(text) <= MAX_COUNT:
        raise forms.ValidationError(f"Enter a number from 0 to {MAX_COUNT}.")
    return int(text)


def _read_interval(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,20})?", text) or float(text) > MAX_TIME_S:
        raise forms.ValidationError("Enter a number of seconds, up to 24 hours.")
    return float(text)


def _read_times(text: str) -> tuple[float, ...]:
    times = []
    for part in re.split(r"[\s,;]+", text.strip(" ,;")) if text else []:
        is_plain = re.fullmatch(r"[0-9]{1,5}(\.[0-9]+)?", part)
        try:
            times.append(read_timestamp(float(part) if is_plain else part))
        except ValueError:
            raise forms.ValidationError(BAD_TIMES) from None
    if len(times) > MAX_TIMESTAMPS:
        raise forms.ValidationError(f"Enter at most {MAX_TIMESTAMPS} times.")
    return tuple(dict.fromkeys(times))
