"""The contract of an adapter, its types, errors and statuses, and the registry."""
