"""What a person sees: results on stdout, the rest on stderr; bars and tables on a terminal, plain lines off it."""
