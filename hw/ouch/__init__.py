"""OUCH 4.2 (revision 2018-12-07) and OUCH 5.0 (April 2023): orders out, the exchange's answers in."""
