"""ITCH: messages put together from the pieces of a packet, and their fields taken out."""
