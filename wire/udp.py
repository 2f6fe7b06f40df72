"""The UDP header (RFC 768)."""

from wire.layout import Record, field

UDP = Record(
    "UDP",
    field("source_port", 2),
    field("destination_port", 2),
    field("length", 2, "int", "header and payload, bytes"),
    field("checksum", 2, "int", "0 is absent; a computed 0 is sent as 0xFFFF"),
)

ABSENT = 0
"""The checksum field of a sender that computes none."""
