"""Pages below `/o/<org>/settings/`; `sections` is their navigation."""
