"""The front page: what needs somebody, and the accounts at a glance."""
