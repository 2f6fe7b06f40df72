"""When the card, its driver or the machine fails: who sees it, who takes over, and what stops it from being two.

`ledger` and `market` are what is known of a device by its events, `pair` is a card and the engine that follows it, as one
device. `failover` takes the order session whenever its owner is gone or in doubt: `takeover` takes the orders out of the market,
`view` is the exchange's account, `settle` brings our orders to it. `lease` says which machine may trade, `replica` and `standby`
keep the journal on another one.
"""
