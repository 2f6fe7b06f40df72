"""What the API gives of the order management's orders. Prices are decimal texts in currency, as everywhere."""

from __future__ import annotations

from control.api.models import Answer, Side, example


class Fact(Answer):
    """Something that was asked of an order, or said of it."""

    what: str
    """send, cancel, replace; refused, accepted, executed, busted, cancelled, replaced, rejected, cancel_rejected,
    replace_rejected
    """
    number: int
    """of the request that it is, or is about; 0 is the order itself"""
    price: str | None = None
    quantity: int | None = None
    """of executions and cancels the shares of each; else all shares of the order"""
    reasons: tuple[str, ...] = ()
    match_number: int | None = None
    client_order_id: str | None = None

    model_config = example(what="executed", number=0, price="220.4500", quantity=40, match_number=77)


class OrderRecord(Answer):
    """An order as the order management knows it, open or done."""

    number: int
    client: str
    """who asked: ``api``, the name of a FIX session, or ``device`` for its own quotes and takes"""
    client_order_id: str
    """of a request with an ``Idempotency-Key`` the key"""
    id: str | None
    """the id that it has at the exchange, where it was sent by the device of today"""
    stock: str
    side: Side
    price: str
    quantity: int
    status: str
    executed: int
    open: int
    average_price: str
    strategy: int
    unreconciled: bool
    """it was open when its device died, and nobody has said what became of it"""
    facts: tuple[Fact, ...] = ()
    """only where one order was asked for"""

    model_config = example(
        number=17,
        client="api",
        client_order_id="rebalance-1",
        id="000000005009",
        stock="AMZN",
        side="buy",
        price="220.4500",
        quantity=100,
        status="partially filled",
        executed=40,
        open=60,
        average_price="220.45",
        strategy=1,
        unreconciled=False,
    )


class OrderHistory(Answer):
    """Orders by their number."""

    orders: list[OrderRecord]
    next: int
    """give it as ``after`` to go on behind the last of these"""
