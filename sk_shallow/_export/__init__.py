"""Fitted networks for other libraries and languages: pure functions of `Network`."""
