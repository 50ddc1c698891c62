"""URLs of inputs and outputs: parsing, links, playback, thumbnails."""
