"""Searching jobs by what people paste: words and phrases, ids, URLs."""
