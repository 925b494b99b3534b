"""The key or value that was probably meant, also by its name in another tool."""
