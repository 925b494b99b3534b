"""The formula translator: reads the source of registered functions and writes it out as arithmetic on numbers."""
