"""What the job list offers beside its rows: its query, saved views and exports."""
