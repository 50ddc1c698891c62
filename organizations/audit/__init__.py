"""The audit log is only ever appended to: the database refuses the rest."""
