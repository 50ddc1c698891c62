"""Fault runs: real processes are killed and servers fail, and nothing may be lost or doubled."""
