"""When the card, its driver or the machine fails: who sees it, who takes over, and what stops it from being two.

`ledger` and `market` are what is known of a device by its events; `takeover` takes the order session from a device that is gone
and its orders out of the market; `pair` is a card and the engine that follows it, as one device; `lease` says which machine may
trade, `replica` keeps the other one's journal.
"""
