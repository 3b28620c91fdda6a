"""Whether the tests of the journeys notice when a guard, a wait or a goto of a journey is another one.

`python -m tests.mutants [JOURNEY...] [--all]` tells the share of mutants that `zhitu test` kills.
"""
