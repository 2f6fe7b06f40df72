"""The world outside the card: sources, publisher, faults, venue, and the loop that ties them to a device."""
