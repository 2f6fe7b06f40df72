"""ITCH: messages cut out of the byte stream, and their fields taken out of the messages."""
