"""Runs on disk: nothing that was saved is ever half written."""
