"""What a provider refuses or approximates of a request: codes, and the sentence of each."""

import dataclasses
from collections.abc import Mapping
from typing import Any

# `provider` is always among the values; a list is spelled `a, b and c`.
SENTENCES: Mapping[str, str] = {
    "submit_unsupported": "{provider} does not accept jobs through its API.",
    "account_unusable": "{reason}",
    "url_invalid": "{reason}",
    "value_redacted": "{marker} stands for a secret value. Enter the original value.",
    "submitted_as_other_job": "This id already belongs to job {job}.",
    "location_unusable": "{reason}",
    "bucket_elsewhere": "{provider} only writes to buckets at AWS; {location} is at another store.",
    "template_archived": "This template is archived.",
    "template_unreadable": "{reason}",
    "stored_link_expired": "The stored link expired on {at} UTC. Enter a new one.",
    "stored_link_used": "The stored link is used.",
    "stored_secret_used": "The stored secret values are used.",
    # Input and destination
    "input_scheme": "{provider} only reads {schemes} URLs.",
    "input_scheme_or_id": "{provider} reads {schemes} URLs, and files in its own storage by their "
    "id of 24 hexadecimal digits.",
    "destination_unsupported": "{provider} stores outputs itself and cannot deliver them "
    "elsewhere.",
    "destination_required": "{provider} does not store outputs: enter a destination "
    "({schemes} URL).",
    "destination_scheme": "{provider} only writes to {schemes} URLs.",
    "destination_not_a_folder": "{provider} writes to its pipeline's storage: the destination can "
    "only be a folder there.",
    "destination_temporary": "Without a destination, {provider} keeps the files for {hours} hours.",
    "pipeline_required": "{provider} runs jobs in a pipeline: set the account's option {option}.",
    "input_in_storage": "The input is in {provider}'s own storage, which no other provider reads.",
    # Renditions and presets
    "renditions_required": "Choose at least one packaging and its heights.",
    "heights_required": "Choose at least one height for each packaging.",
    "heights_unsupported": "{provider} supports heights of {heights}, not {unsupported}.",
    "packaging_unsupported": "{provider} supports {packagings}; use extra for other packagings.",
    "packaging_decided": "{provider} chooses the packaging itself.",
    "renditions_replaced": "The {field} in extra replace these.",
    "renditions_duplicated": "The same packaging and height is requested twice.",
    "outputs_too_many": "{provider} allows at most {limit} outputs per job, not {count}.",
    "presets_required": "{provider} needs a preset (id or name) for each rendition, or "
    "extra.outputs. Put one preset per output into extra.{field}.",
    "presets_invalid": "Presets must be a list of ids or names.",
    "presets_replaced": "The outputs in extra replace its presets.",
    "presets_decide": "The presets determine packaging and size; these are ignored.",
    # Thumbnails
    "thumbnails_unsupported": "{provider} does not create thumbnails.",
    "thumbnails_format": "{provider} only creates thumbnails in these formats: {formats}.",
    "thumbnails_too_many": "{provider} creates at most {limit} thumbnails per job.",
    "thumbnails_placement": "{provider} only takes thumbnails by {placements}.",
    "thumbnails_whole_seconds": "{provider} only takes thumbnails at whole seconds.",
    "thumbnails_filter": "{provider} only has these filters for thumbnails: {filters}.",
    "thumbnails_no_filters": "{provider} has no filters for thumbnails.",
    "thumbnails_decided": "{provider} determines the {what} of thumbnails itself.",
    "thumbnails_by_height": "{provider} sizes thumbnails by height only.",
    "thumbnails_height": "{provider} only creates thumbnails with heights of {heights}.",
    "thumbnails_in_outputs": "The outputs in extra determine the thumbnails; this is ignored.",
    "thumbnails_by_preset": "{provider}'s preset {preset} determines the number, size and format "
    "of the thumbnails.",
    # Everything else
    "metadata_too_long": "{provider} stores at most {limit} {unit} of metadata, including "
    "Reelboard's key.",
    "test_mode_unsupported": "{provider} has no test mode: this would be a real job.",
    "priority_kept_here": "{provider} has no priorities. This one only orders what Reelboard "
    "sends.",
    "replaced_by_extra": "extra sets this differently, so it is ignored.",
    "api_key_in_extra": "The API key belongs to the account, not to a job.",
    "mock_unsupported": "{provider} does not create mock jobs, so there would be nothing to track.",
    "notifications_too_many": "{provider} notifies at most {limit} URLs per job or output.",
}

# What is not sent as it was entered: another value is, or none at all.
APPROXIMATED = frozenset({"packaging_decided", "thumbnails_by_preset"})
LEFT_OUT = frozenset(
    {
        "presets_decide",
        "presets_replaced",
        "priority_kept_here",
        "renditions_replaced",
        "replaced_by_extra",
        "thumbnails_in_outputs",
    }
)


@dataclasses.dataclass(frozen=True, slots=True)
class RequestIssue:
    """What a provider cannot do (`blocking`) or decides by itself with a field of a JobRequest.

    `code` is a key of SENTENCES, whose placeholders `values` fill.
    """

    field: str
    code: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    blocking: bool = True

    @property
    def message(self) -> str:
        spelled = {name: _spell(value) for name, value in self.values.items()}
        return SENTENCES[self.code].format_map(spelled)

    @property
    def is_deviation(self) -> bool:
        """Whether the job is sent, and its field not as it was entered."""
        return not self.blocking and self.code in APPROXIMATED | LEFT_OUT


def _spell(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return str(value)
    *others, last = map(str, value)
    return f"{', '.join(others)} and {last}" if others else last
