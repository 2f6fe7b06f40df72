"""The matching engine: price-time priority on one block of integers, no Python object in the loop.

Commands go in and events come out as rows of sixteen ``int64``; everything between is one vector, so that a
copy of it is a copy of the exchange. The same commands give the same events, bit for bit.

========== =========================================================================================
state      what a command, an event, an order, a level and a symbol are made of; :func:`~state.create`
ladder     price levels: queues, and which levels are occupied
orders     the order pool: order in and out of the book, what an execution takes, display refreshed
trading    orders entered, matched, cancelled and replaced; halts and price bands
cross      auction: the price, the executions, the imbalance
limit      since when a symbol is in its limit state
core       commands in order: :class:`~core.Core`
digest     hash of the state, and the book as Python lists
========== =========================================================================================
"""
