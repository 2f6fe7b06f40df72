"""Tests of the wire: declarations, codecs, compiled parsers."""
