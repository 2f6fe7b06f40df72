"""One answer: the engine and the simulated card, given the same inputs, compared byte for byte."""
