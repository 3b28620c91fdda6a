"""What holds for every test."""

from hypothesis import settings

# A machine that is busy with something else must not fail a test: nothing here is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
