"""What a journey means: values in, values out. No I/O, no clock, no randomness."""
