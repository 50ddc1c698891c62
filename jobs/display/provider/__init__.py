"""What a page says of a provider's side of a job: its warnings, and until when it is kept there."""
