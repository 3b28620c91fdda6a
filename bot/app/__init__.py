"""The product put together: accounts, journeys, storage and ports, started and stopped in order."""
