"""Commands that are made of many fits."""
