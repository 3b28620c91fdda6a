"""The whole product without an account: virtual clock, emulated platforms, phone page, talk and tests of journeys."""
