"""Tests of journeys, played in virtual time by the product itself. The ways in are `run` and `report`."""
