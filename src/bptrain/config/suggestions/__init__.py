"""The key or value that was probably meant, by its spelling or by its name in another tool."""
