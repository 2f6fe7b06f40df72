"""The quoter: where our two quotes should stand. docs/architecture.md, Semantics, section 7.

It only says what is wanted; whether a quote may go is the risk gate's affair, what is to be done about the one that
stands the trader's.
"""
