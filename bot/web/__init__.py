"""The HTTP server: callbacks of the platforms, health, metrics."""
