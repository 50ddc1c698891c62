"""Which jobs a pass has seen, in memory that does not grow with them."""

import os
from collections.abc import Iterator
from hashlib import blake2b

# Four bits of these for each id: of a million ids, one in 6,000 others passes for seen.
BITS = 2**25
POSITIONS = 4


class SeenIds:
    """A Bloom filter: an id that was added is always found, one that was not hardly ever.

    Each pass has a salt of its own, so that what it mistakes for seen the next one does not.
    """

    def __init__(self) -> None:
        self.count = 0
        self._bits = bytearray(BITS // 8)
        self._salt = os.urandom(16)

    def add(self, remote_id: str) -> None:
        if remote_id in self:
            return
        self.count += 1
        for position in self._positions(remote_id):
            self._bits[position // 8] |= 1 << position % 8

    def __contains__(self, remote_id: str) -> bool:
        return all(self._bits[at // 8] & 1 << at % 8 for at in self._positions(remote_id))

    def _positions(self, remote_id: str) -> Iterator[int]:
        data = remote_id.encode(errors="surrogatepass")
        found = blake2b(data, digest_size=4 * POSITIONS, salt=self._salt).digest()
        for start in range(0, len(found), 4):
            yield int.from_bytes(found[start : start + 4]) % BITS
