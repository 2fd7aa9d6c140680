"""A small AWS on loopback that checks each request against AWS's own models."""
