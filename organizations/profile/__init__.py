"""What belongs to the person, whatever the organization: preferences and sessions."""
