"""What the search box says while somebody types a query: what it means, and what may follow."""
