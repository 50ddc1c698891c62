"""What a person writes about a job or an error."""

from django import forms

from jobs.notes.text import MAX_TEXT, clean_text
from organizations.sign_in.form_fields import StyledField


class NoteForm(forms.Form):
    bound_field_class = StyledField

    # measured once line ends are one character, which browsers send as two
    text = forms.CharField(
        label="Note",
        max_length=2 * MAX_TEXT,
        error_messages={"required": "Write something."},
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": MAX_TEXT, "data-mentions": True}),
    )

    def clean_text(self) -> str:
        try:
            return clean_text(self.cleaned_data["text"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
