"""Checks of data that is valid and perhaps not what it should be: each yields named warnings, none changes anything.

`data_warnings` (run_checks) runs them all over what `prepare` has read and encoded. A check costs little next to the
reading: it looks at a sample first, and at all rows only where the sample is suspicious.
"""
