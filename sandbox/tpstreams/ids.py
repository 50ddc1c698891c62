"""The provider's opaque ids, 11 letters and digits, to and from the store's numbers."""

import string

ALPHABET = string.digits + string.ascii_letters
LENGTH = 11  # holds 64 bits
MODULUS = 2**64
# Odd, so that it can be undone: ids that follow each other have nothing in common.
FACTOR = 0x9E3779B97F4A7C15
INVERSE = pow(FACTOR, -1, MODULUS)


def to_public(number: int) -> str:
    rest = number * FACTOR % MODULUS
    letters = []
    for _ in range(LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(letters)


def from_public(text: str) -> int | None:
    """None for what is no id; an id that was never given out is some other number."""
    if len(text) != LENGTH or not set(text) <= set(ALPHABET):
        return None
    value = sum(ALPHABET.index(letter) * len(ALPHABET) ** at for at, letter in enumerate(text))
    number = value % MODULUS * INVERSE % MODULUS
    # What SQLite can hold; and each number has one spelling only.
    return number if number < 2**63 and to_public(number) == text else None
