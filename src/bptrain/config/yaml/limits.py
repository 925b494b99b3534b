"""How large a config may be: what is larger is refused before it costs time or memory."""

MAX_BYTES = 64 * 1024
MAX_NODES = 5_000  # keys and values
MAX_DEPTH = 32
MAX_DIGITS = (
    400  # characters of a number: none of a config needs more, and a longer one takes time to convert
)
MAX_ENTRIES = 500  # of a list of parts or options, so layers too: each is checked by itself
LONGEST = 60  # characters of a key or a value in a message
MAX_PROBLEMS = 50  # that are told at once
