"""Rules that join keys or sections of a config, by topic."""
