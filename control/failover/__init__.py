"""Failover: a standby has what the primary acknowledged, and only one of them trades.

``message`` is what goes through the stream, ``stream`` the stream and the bucket on NATS JetStream, ``lease`` who may be primary,
``replica`` a journal that follows and can be promoted, ``publisher`` a journal that others follow.
"""
