"""How jobs ended over some time: which are asked for, reading the sums, searching beyond them."""
