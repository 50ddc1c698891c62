"""Pages of lists: their order, the places between rows, and cursors."""
