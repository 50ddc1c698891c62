"""What a provider refuses or approximates of a request: codes, and the sentence of each."""

import dataclasses
from collections.abc import Mapping
from typing import Any

# `provider` is always among the values; a list is spelled `a, b and c`.
SENTENCES: Mapping[str, str] = {
    "submit_unsupported": "{provider} takes no jobs through its API.",
    "account_unusable": "{reason}",
    "url_invalid": "{reason}",
    "value_redacted": "{marker} stands for a secret value. Enter the original value.",
    "submitted_as_other_job": "That one was submitted as job {job}.",
    "stored_link_expired": "The stored link expired on {at} UTC. Enter a new one.",
    "stored_link_used": "The stored link is used.",
    "stored_secret_used": "The stored secret values are used.",
    # Where the input comes from and the results go
    "input_scheme": "{provider} reads {schemes} URLs only.",
    "input_scheme_or_id": "{provider} reads {schemes} URLs, and files in its own storage by their "
    "id of 24 hexadecimal digits.",
    "destination_unsupported": "{provider} keeps the results itself and delivers them nowhere "
    "else.",
    "destination_required": "{provider} stores no results: enter a destination, an {schemes} URL.",
    "destination_scheme": "{provider} writes to {schemes} URLs only.",
    "destination_not_a_folder": "{provider} writes to its pipeline's storage: the destination can "
    "only be a folder there.",
    "destination_temporary": "Without a destination {provider} keeps the files for {hours} hours.",
    "pipeline_required": "{provider} runs jobs in a pipeline: set the account's option {option}.",
    # What is made
    "renditions_required": "Name at least one packaging with its heights.",
    "heights_required": "Name at least one height for each packaging.",
    "heights_unsupported": "{provider} makes heights of {heights} only, not of {unsupported}.",
    "packaging_unsupported": "{provider} makes {packagings} only; use extra for other packagings.",
    "packaging_decided": "{provider} decides by itself how the heights are packaged.",
    "renditions_replaced": "The {field} in extra replace these.",
    "renditions_duplicated": "The same packaging and height is asked for twice.",
    "outputs_too_many": "{provider} makes at most {limit} outputs per job, not {count}.",
    "presets_required": "At {provider} renditions need a preset by id or name, or extra.outputs. "
    "Put one preset per output into extra.{field}.",
    "presets_invalid": "The presets are a list of ids or names.",
    "presets_replaced": "The outputs in extra replace its presets.",
    "presets_decide": "The presets decide packaging and size; these are left out.",
    # Thumbnails
    "thumbnails_unsupported": "{provider} makes no thumbnails.",
    "thumbnails_format": "{provider} makes thumbnails in these formats only: {formats}.",
    "thumbnails_too_many": "{provider} makes at most {limit} thumbnails per job.",
    "thumbnails_placement": "{provider} takes thumbnails by {placements} only.",
    "thumbnails_whole_seconds": "{provider} makes thumbnails at whole seconds only.",
    "thumbnails_filter": "{provider} has these filters for thumbnails only: {filters}.",
    "thumbnails_no_filters": "{provider} has no filters for thumbnails.",
    "thumbnails_decided": "{provider} decides the {what} of thumbnails by itself.",
    "thumbnails_by_height": "{provider} sizes thumbnails by their height alone.",
    "thumbnails_height": "{provider} sizes thumbnails by their height: {heights}.",
    "thumbnails_in_outputs": "The outputs in extra say whether there are thumbnails; this is left "
    "out.",
    "thumbnails_by_preset": "The preset {preset} of {provider} decides the number, the size and "
    "the format of thumbnails.",
    # The rest
    "metadata_too_long": "{provider} keeps {limit} {unit} of metadata, our key included.",
    "test_mode_unsupported": "{provider} has no test mode: the job would be a real one.",
    "priority_ignored": "{provider} has no priorities; the priority is left out.",
    "api_key_in_extra": "The API key belongs to the account, not to a job.",
    "mock_unsupported": "A mock job does not exist at {provider}: there would be none to follow.",
    "notifications_too_many": "{provider} notifies at most {limit} URLs per job or output.",
}


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


def _spell(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return str(value)
    *others, last = map(str, value)
    return f"{', '.join(others)} and {last}" if others else last
