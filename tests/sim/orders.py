"""What a client of the venue sends."""

from wire import ouch42, soupbintcp


def enter(
    token: str,
    side: str,
    shares: int,
    stock: str,
    price: int,
    time_in_force: int = 99_998,
    *,
    minimum_quantity: int = 0,
    display: str = "Y",
) -> bytes:
    return soupbintcp.unsequenced(
        ouch42.ENTER_ORDER.pack(
            order_token=token,
            side=side,
            shares=shares,
            stock=stock,
            price=price,
            time_in_force=time_in_force,
            firm="TEST",
            display=display,
            capacity="P",
            intermarket_sweep_eligibility="N",
            minimum_quantity=minimum_quantity,
            cross_type="N",
        )
    )


def replace(
    old: str, new: str, shares: int, price: int, time_in_force: int = 99_998, *, display: str = "Y"
) -> bytes:
    return soupbintcp.unsequenced(
        ouch42.REPLACE_ORDER.pack(
            existing_order_token=old,
            replacement_order_token=new,
            shares=shares,
            price=price,
            time_in_force=time_in_force,
            display=display,
            intermarket_sweep_eligibility="N",
        )
    )


def cancel(token: str, shares: int = 0) -> bytes:
    return soupbintcp.unsequenced(ouch42.CANCEL_ORDER.pack(order_token=token, shares=shares))


def modify(token: str, side: str, shares: int) -> bytes:
    return soupbintcp.unsequenced(ouch42.MODIFY_ORDER.pack(order_token=token, side=side, shares=shares))
