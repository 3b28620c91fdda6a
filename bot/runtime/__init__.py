"""The loops that turn events into steps, and effects into messages."""
