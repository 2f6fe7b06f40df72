"""The compiled classifier agrees with the Python API on every type and every length."""

import numpy as np
import pytest

from tests.wire.declared import FAMILIES
from wire.classify import MessageStatus, classify, classify_itch
from wire.errors import LengthError, TypeCodeError
from wire.itch import ITCH
from wire.layout import Family


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_type_at_every_length(family: Family) -> None:
    for code in range(256):
        message = bytes([code]) + b" " * 90
        buffer = np.frombuffer(b"\xff" + message, np.uint8)
        for length in range(91):
            found = classify(buffer, 1, length, family.lengths, family.indices)
            if family is ITCH:
                assert classify_itch(buffer, 1, length) == found
            try:
                family.unpack(message[:length])
                assert family.records[found].code == chr(code)
            except TypeCodeError:
                assert found == MessageStatus.UNKNOWN_TYPE
            except LengthError:
                assert found == (MessageStatus.WRONG_LENGTH if length else MessageStatus.EMPTY)
