"""Tests of the engine: book, order table, signals, gate, path."""
