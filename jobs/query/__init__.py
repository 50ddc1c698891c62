"""What lists can be asked for: parameters, filters, keyset pages. No rendering."""
