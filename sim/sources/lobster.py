"""LOBSTER message and order book files as an ITCH tape.

A message file of level N has only the events that touched the best N levels; the order book file has these levels after
each event. The tape is made so that replaying it gives the order book file's row after every event, all N levels of it.

What is taken over: order ids, sides, sizes, prices and times; 1 becomes A, 2 X, 3 D, 4 E, 5 P, 6 Q, 7 H. What is
invented:

* stock locate, tracking and match numbers, the directory, trading state and system event messages around the day;
* when orders come in that no event of type 1 announced (liquidity of the opening, and of deep levels when they come
  into view). A row that shows more at a price than was announced is met first by the ids which later events name there,
  if they are older than the next new order, with the size that those events need; what is then still missing is one
  order with a made-up reference, from :data:`INVENTED` times a power of ten above the real ones;
* X and D of orders that ceased unseen, when a row shows less than is left: those first that no later event names;
* an event on an id that never came into the book is taken by the other orders at its price.

Times of invented messages are those of the event whose row asks for them, and they stand behind it. Without an order
book file nothing is corrected; an order that was not announced is added just before its first event.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from sim.sources import messages
from sim.sources.csv_numbers import parse
from sim.sources.tape import Tape, Vector
from wire.compiled import compiled

NANOSECONDS = 1_000_000_000
INVENTED = 1
"""First made-up reference, times the power of ten above the largest id of the file."""
_NAME = re.compile(r"(?P<stock>[A-Z.]+)_\d{4}-\d\d-\d\d_\d+_\d+_(message|orderbook)_(?P<levels>\d+)", re.IGNORECASE)
_NOON = 12 * 3600 * NANOSECONDS
# event types
_NEW, _CANCEL, _DELETE, _EXECUTE, _HIDDEN, _CROSS, _HALT = 1, 2, 3, 4, 5, 6, 7
_NONE = -1


@dataclass(frozen=True, slots=True)
class Conversion:
    """A tape made from LOBSTER files.

    Attributes
    ----------
    tape : Tape
    rows : int64
        Per event of the message file, how many messages of the tape lead to that row of the order book file.
    invented : int
        Messages that stand for orders and cancellations which the message file leaves out.
    unexplained : int
        Those of them, after the first row, at prices that were in view before, where nothing should be missing.
    """

    tape: Tape
    rows: Vector
    invented: int
    unexplained: int


def read(path: str | Path, order_book: str | Path | None = None, stock: str | None = None) -> Tape:
    """The tape alone; parameters and errors as :func:`convert`."""
    return convert(path, order_book, stock).tape


def convert(
    path: str | Path, order_book: str | Path | None = None, stock: str | None = None, *, locate: int = 1
) -> Conversion:
    """A day of one stock.

    Parameters
    ----------
    path : path
        A message file, or the zip that holds it and the order book file.
    order_book : path or None
        The order book file; None takes the one in the zip, or beside the message file under LOBSTER's name for it.
    stock : str or None
        None takes it from the file's name.

    Raises
    ------
    ValueError
        No message file in the zip, no stock in the name, files of different length, or an event type that LOBSTER
        does not have.
    """
    path = Path(path)
    events_text, book_text, name = _texts(path, order_book)
    if stock is None:
        match = _NAME.search(name)
        if match is None:
            raise ValueError(f"{name}: LOBSTER's names begin STOCK_DATE_START_END_message_LEVELS; name the stock")
        stock = match["stock"].upper()
    events = parse(events_text, scaled_column=0, scale=9)
    book = None if book_text is None else parse(book_text)
    if events.ndim != 2 or events.shape[1] < 6:
        raise ValueError(f"{name}: a message file has 6 columns")
    if book is not None and (len(book) != len(events) or book.shape[1] % 4):
        raise ValueError(f"{name}: {len(events)} events, order book of {len(book)} rows and {book.shape[1]} columns")
    return _convert(events, book, stock, locate)


def _texts(path: Path, order_book: str | Path | None) -> tuple[bytes, bytes | None, str]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            found = [name for name in names if "_message_" in name]
            books = [name for name in names if "_orderbook_" in name]
            if len(found) != 1:
                raise ValueError(f"{path}: one message file expected, {len(found)} found")
            book = archive.read(books[0]) if order_book is None and books else None
            text, name = archive.read(found[0]), found[0]
    else:
        text, name, book = path.read_bytes(), path.name, None
        beside = path.with_name(path.name.replace("message", "orderbook"))
        if order_book is None and beside != path and beside.exists():
            order_book = beside
    if order_book is not None:
        book = Path(order_book).read_bytes()
    return text, book, name


def is_lobster(path: Path, head: bytes) -> bool:
    """Whether a file, by its name and first bytes, is a LOBSTER message file or a zip with one."""
    if head.startswith(b"PK"):
        with path.open("rb") as file:
            assert isinstance(file, BufferedReader)
            return zipfile.is_zipfile(file) and any("_message_" in name for name in zipfile.ZipFile(file).namelist())
    return re.match(rb"\d+(\.\d+)?,[1-7],\d+,\d+,-?\d+,-?1\r?\n", head) is not None


def _convert(events: Vector, book: Vector | None, stock: str, locate: int) -> Conversion:
    time, kind, order_id, size, price, direction = (np.ascontiguousarray(events[:, i]) for i in range(6))
    if len(events) and (kind.min() < _NEW or kind.max() > _HALT):
        raise ValueError(f"event types {sorted(set(kind.tolist()) - set(range(1, 8)))} are not LOBSTER's")
    ids, order = np.unique(order_id, return_inverse=True)
    named = (kind >= _NEW) & (kind <= _EXECUTE)
    if book is None:
        book_price, book_size = np.zeros((0, 0), np.int64), np.zeros((0, 0), np.int64)
        shown = np.zeros(0, np.int64)
    else:
        book_price, book_size = np.ascontiguousarray(book[:, 0::2]), np.ascontiguousarray(book[:, 1::2])
        shown = np.unique(book_price[book_size > 0])
    prices = np.union1d(price[named], shown)
    place = np.searchsorted(prices, price)
    book_place = np.where(book_size > 0, np.searchsorted(prices, book_price), _NONE)

    uses = named & (kind != _NEW)
    need = np.bincount(order[uses], size[uses], len(ids)).astype(np.int64)
    first = np.full(len(ids), len(kind), np.int64)
    np.minimum.at(first, order[named], np.flatnonzero(named))
    # Orders nobody announced, by side and price and then by age.
    unannounced = np.flatnonzero((first < len(kind)) & (kind[np.minimum(first, len(kind) - 1)] != _NEW))
    bucket = (direction[first[unannounced]] < 0) * len(prices) + place[first[unannounced]]
    by_bucket = np.lexsort((ids[unannounced], bucket))
    unannounced = unannounced[by_bucket]
    bucket_begin = np.searchsorted(bucket[by_bucket], np.arange(2 * len(prices) + 1))
    # The id of the next new order bounds the ids that can be in the book.
    next_new = np.full(len(kind) + 1, np.iinfo(np.int64).max)
    for_new = np.flatnonzero(kind == _NEW)
    following = np.searchsorted(for_new, np.arange(len(kind)), side="right")
    has_next = following < len(for_new)
    next_new[:-1][has_next] = order_id[for_new[following[has_next]]]

    start = int(time[0]) - NANOSECONDS if len(time) else 0
    opening = messages.opening([(locate, stock)], start) + messages.system_event(start, "S")
    opening += messages.system_event(start, "Q")
    head = np.frombuffer(opening, np.uint8)
    first_invented = INVENTED * 10 ** len(str(int(ids[-1]) if len(ids) else 1))
    count = len(messages.tape_of(head))
    spare = len(unannounced) + 64 * (1 + book_price.shape[1]) + len(kind)
    while True:
        out = np.empty(len(head) + messages.LONGEST * (2 * len(kind) + spare), np.uint8)
        out[: len(head)] = head
        rows, tally = np.zeros(len(kind), np.int64), np.array([len(head), count, 0, 0, first_invented], np.int64)
        done = _replay(
            time, kind, order, size, price, direction, place, ids, need.copy(), first, unannounced, bucket_begin,
            next_new, book_place, book_size, prices, locate, messages.stock_key(stock), out, rows, tally, spare,
        )  # fmt: skip
        if done:
            break
        spare *= 2
    end = int(time[-1]) + 1 if len(time) else 0
    closing = b"".join(messages.system_event(end, code) for code in "MEC")
    text = np.concatenate([out[: tally[0]], np.frombuffer(closing, np.uint8)])
    return Conversion(messages.tape_of(text), rows, int(tally[2]), int(tally[3]))


# places in ``tally``
_AT, _COUNT, _INVENTED_COUNT, _UNEXPLAINED, _NEXT_REFERENCE = 0, 1, 2, 3, 4
# places in ``link``
_FORWARD, _BACK = 0, 1
# places in ``level``
_QUANTITY, _HEAD, _TAIL = 0, 1, 2


@compiled
def _replay(
    time: Any, kind: Any, order: Any, size: Any, price: Any, direction: Any, place: Any, ids: Any, need: Any, first: Any,
    unannounced: Any, bucket_begin: Any, next_new: Any, book_place: Any, book_size: Any, prices: Any, locate: int,
    stock: int, out: Any, rows: Any, tally: Any, spare: int,
) -> bool:  # fmt: skip
    """Writes the tape; False when ``spare`` made-up orders or messages are too few."""
    count_prices = len(prices)
    orders = len(ids) + spare
    level = np.full((2 * count_prices + 1, 3), _NONE, np.int64)
    level[:, _QUANTITY] = 0
    link = np.full((orders, 2), _NONE, np.int64)
    quantity = np.zeros(orders, np.int64)
    where = np.zeros(orders, np.int64)
    reference = np.zeros(orders, np.int64)
    reference[: len(ids)] = ids
    future = np.zeros(orders, np.int64)
    future[: len(ids)] = need
    begin = bucket_begin.copy()
    # best price seen on each side, not better than the truth
    edge = np.array([_NONE, count_prices], np.int64)
    limit = len(out) - 4 * messages.LONGEST
    fresh = len(ids)
    has_book = book_place.shape[0] > 0
    match = np.int64(0)
    depth = book_place.shape[1] // 2

    for k in range(len(kind)):
        o, t, s = order[k], time[k], np.int64(direction[k] < 0)
        at_level = s * count_prices + place[k]
        if tally[_AT] > limit or fresh + 2 * (depth + 2) >= orders:
            return False
        if kind[k] == _NEW:
            if quantity[o] == 0:
                _put(o, at_level, size[k], quantity, where, link, level)
                edge[s] = max(edge[s], place[k]) if s == 0 else min(edge[s], place[k])
                _write_add(out, tally, locate, t, reference[o], s, size[k], stock, price[k])
        elif kind[k] <= _EXECUTE:
            if quantity[o] == 0 and (not has_book or level[at_level, _QUANTITY] < size[k]):
                _put(o, at_level, future[o], quantity, where, link, level)
                edge[s] = max(edge[s], place[k]) if s == 0 else min(edge[s], place[k])
                _write_add(out, tally, locate, t, reference[o], s, future[o], stock, price[k])
                tally[_INVENTED_COUNT] += 1
            future[o] -= min(future[o], size[k])
            shares = size[k]
            if quantity[o] > 0:
                if kind[k] == _DELETE or (kind[k] == _CANCEL and shares >= quantity[o]):
                    shares = quantity[o]
                    tally[_AT] = messages.delete(out, tally[_AT], locate, t, reference[o])
                elif kind[k] == _CANCEL:
                    tally[_AT] = messages.cancel(out, tally[_AT], locate, t, reference[o], shares)
                else:
                    shares = min(shares, quantity[o])
                    match += 1
                    tally[_AT] = messages.execute(out, tally[_AT], locate, t, reference[o], shares, match)
                tally[_COUNT] += 1
                _take(o, shares, quantity, where, link, level)
            else:
                match = _reduce(
                    at_level, shares, kind[k] == _EXECUTE, match, t, locate, out, tally, quantity, future, where, link,
                    level, reference,
                )  # fmt: skip
        elif kind[k] == _HIDDEN or kind[k] == _CROSS:
            match += 1
            if kind[k] == _HIDDEN:
                side = messages.SELL if s else messages.BUY
                tally[_AT] = messages.trade(out, tally[_AT], locate, t, side, size[k], stock, price[k], match)
            else:
                hour = 79 if t < _NOON else 67  # O, C
                tally[_AT] = messages.cross(out, tally[_AT], locate, t, size[k], stock, price[k], match, hour)
            tally[_COUNT] += 1
        else:
            state = 72 if price[k] < 0 else 81 if price[k] == 0 else 84  # H, Q, T
            tally[_AT] = messages.trading_action(out, tally[_AT], locate, t, stock, state)
            tally[_COUNT] += 1

        if has_book:
            fresh = _correct(
                k, t, locate, stock, out, tally, limit, book_place, book_size, count_prices, prices, edge, first,
                next_new[k], unannounced, begin, bucket_begin, fresh, ids, quantity, future, where, link, level, reference,
            )  # fmt: skip
            if fresh < 0:
                return False
        rows[k] = tally[_COUNT]
    return True


@compiled
def _correct(
    k: int, t: int, locate: int, stock: int, out: Any, tally: Any, limit: int, book_place: Any, book_size: Any,
    count_prices: int, prices: Any, edge: Any, first: Any, next_new: int, unannounced: Any, begin: Any, bucket_begin: Any,
    fresh: int, ids: Any, quantity: Any, future: Any, where: Any, link: Any, level: Any, reference: Any,
) -> int:  # fmt: skip
    """Makes the book equal to row ``k``: what is too much first, on both sides, then what is missing.

    The next unused made-up order, or -1 when the room for messages is used up.
    """
    depth = book_place.shape[1] // 2
    for adding in range(2):
        for s in range(2):
            step = 1 if s else -1
            column = 0 if s else 1
            worst = book_place[k, 2 * (depth - 1) + column]
            stop = (count_prices if s else -1) if worst < 0 else worst + step
            while 0 <= edge[s] < count_prices and level[s * count_prices + edge[s], _QUANTITY] == 0:
                edge[s] += step
            i, best = edge[s], book_place[k, column]
            if best >= 0 and (best < i if s else best > i):
                i = best
            j = 0
            while (i < stop) if s else (i > stop):
                if i < 0 or i >= count_prices:
                    break
                wanted = np.int64(0)
                if j < depth and book_place[k, 2 * j + column] == i:
                    wanted = book_size[k, 2 * j + column]
                    j += 1
                at_level = s * count_prices + i
                excess = level[at_level, _QUANTITY] - wanted
                if (excess > 0 and adding == 0) or (excess < 0 and adding == 1):
                    if tally[_AT] > limit - 64 * messages.LONGEST:
                        return -1
                    before = tally[_COUNT]
                    if excess > 0:
                        _reduce(
                            at_level, excess, False, 0, t, locate, out, tally, quantity, future, where, link, level,
                            reference,
                        )  # fmt: skip
                    else:
                        side_fresh = fresh
                        fresh = _fill(
                            -excess, at_level, s, prices[i], k, t, locate, stock, out, tally, limit, first, next_new,
                            unannounced, begin, bucket_begin, fresh, ids, quantity, future, where, link, level, reference,
                        )  # fmt: skip
                        if fresh < side_fresh:
                            return -1
                        edge[s] = min(edge[s], i) if s else max(edge[s], i)
                    done = tally[_COUNT] - before
                    tally[_INVENTED_COUNT] += done
                    if k > 0:
                        seen = book_place[k - 1, 2 * (depth - 1) + column]
                        if seen < 0 or ((i <= seen) if s else (i >= seen)):
                            tally[_UNEXPLAINED] += done
                i += step
    return fresh


@compiled
def _fill(
    missing: int, at_level: int, s: int, price: int, k: int, t: int, locate: int, stock: int, out: Any, tally: Any,
    limit: int, first: Any, next_new: int, unannounced: Any, begin: Any, bucket_begin: Any, fresh: int, ids: Any,
    quantity: Any, future: Any, where: Any, link: Any, level: Any, reference: Any,
) -> int:  # fmt: skip
    """Adds ``missing`` shares at a level: orders that later events name, then a made-up one."""
    for n in range(begin[at_level], bucket_begin[at_level + 1]):
        o = unannounced[n]
        if ids[o] >= next_new or missing == 0:
            break
        if first[o] <= k:  # its events are over, or it never came in
            if n == begin[at_level]:
                begin[at_level] += 1
            continue
        if quantity[o] > 0 or future[o] == 0 or future[o] > missing:
            continue
        if tally[_AT] > limit:
            return -1
        _put(o, at_level, future[o], quantity, where, link, level)
        _write_add(out, tally, locate, t, reference[o], s, future[o], stock, price)
        missing -= future[o]
    if missing > 0:
        reference[fresh] = tally[_NEXT_REFERENCE]
        tally[_NEXT_REFERENCE] += 1
        _put(fresh, at_level, missing, quantity, where, link, level)
        _write_add(out, tally, locate, t, reference[fresh], s, missing, stock, price)
        fresh += 1
    return fresh


@compiled
def _reduce(
    at_level: int, shares: int, executed: bool, match: int, t: int, locate: int, out: Any, tally: Any, quantity: Any,
    future: Any, where: Any, link: Any, level: Any, reference: Any,
) -> int:  # fmt: skip
    """Takes ``shares`` from the orders of a level that can spare them; returns the last match number.

    A whole order of that size which no later event names; then what others have beyond their future; then anything.
    """
    for turn in range(3):
        o = level[at_level, _HEAD]
        while o != _NONE and shares > 0:
            following = link[o, _FORWARD]
            if turn == 0:
                take = shares if future[o] == 0 and quantity[o] == shares else 0
            elif turn == 1:
                take = min(shares, max(quantity[o] - future[o], 0))
            else:
                take = min(shares, quantity[o])
            if take > 0:
                if executed:
                    match += 1
                    tally[_AT] = messages.execute(out, tally[_AT], locate, t, reference[o], take, match)
                elif take == quantity[o]:
                    tally[_AT] = messages.delete(out, tally[_AT], locate, t, reference[o])
                else:
                    tally[_AT] = messages.cancel(out, tally[_AT], locate, t, reference[o], take)
                tally[_COUNT] += 1
                _take(o, take, quantity, where, link, level)
                shares -= take
            o = following
    return match


@compiled
def _put(o: int, at_level: int, shares: int, quantity: Any, where: Any, link: Any, level: Any) -> None:
    quantity[o] = shares
    where[o] = at_level
    tail = level[at_level, _TAIL]
    link[o, _FORWARD] = _NONE
    link[o, _BACK] = tail
    if tail == _NONE:
        level[at_level, _HEAD] = o
    else:
        link[tail, _FORWARD] = o
    level[at_level, _TAIL] = o
    level[at_level, _QUANTITY] += shares


@compiled
def _take(o: int, shares: int, quantity: Any, where: Any, link: Any, level: Any) -> None:
    at_level = where[o]
    quantity[o] -= shares
    level[at_level, _QUANTITY] -= shares
    if quantity[o] == 0:
        forward, back = link[o, _FORWARD], link[o, _BACK]
        if back == _NONE:
            level[at_level, _HEAD] = forward
        else:
            link[back, _FORWARD] = forward
        if forward == _NONE:
            level[at_level, _TAIL] = back
        else:
            link[forward, _BACK] = back


@compiled
def _write_add(
    out: Any, tally: Any, locate: int, t: int, reference: int, s: int, shares: int, stock: int, price: int
) -> None:
    side = messages.SELL if s else messages.BUY
    tally[_AT] = messages.add(out, tally[_AT], locate, t, reference, side, shares, stock, price)
    tally[_COUNT] += 1
