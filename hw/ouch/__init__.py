"""OUCH 4.2 (revision 2018-12-07): orders out, the exchange's answers in."""
