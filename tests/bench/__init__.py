"""Tests of the figures' book-keeping."""
