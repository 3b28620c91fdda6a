"""The phone page in headless Chromium."""
