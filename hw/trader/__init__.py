"""The trader: the one writer. It takes item after item from the book and does all that follows from it.

``trader.py`` has the state machine's frame and the registers; what the steps do is in ``feed.py`` (market data and
arbiter), ``evaluation.py`` (mark, withdraw, quote), ``sending.py`` (gate, orders out), ``session.py`` (the exchange's
answers) and ``commands.py``.
"""
