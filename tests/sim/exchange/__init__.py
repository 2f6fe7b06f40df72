"""The exchange: its core against a slow and obvious model, its feed against our engine, its ports on sockets."""
