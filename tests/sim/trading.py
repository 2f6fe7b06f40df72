"""The commands that make a device trade all stocks of a tape."""

from sim.ladder import ladder_for
from sim.sources.tape import Tape
from wire.records import Opcode, command

MUCH = 1 << 60


def commands(tape: Tape, at: int, *, session: str = "HAIRPIN001", quoting: bool = True) -> list[tuple[int, bytes]]:
    made = [
        command(
            Opcode.SET_GLOBAL, max_gross=MUCH, credit=MUCH, loss_limit=MUCH, firm="TEST", token_prefix="HP"
        )
    ]
    for symbol, listing in enumerate(tape.listings()):
        ladder = ladder_for(tape, listing.stock)
        made += [
            command(
                Opcode.SET_SYMBOL,
                symbol=symbol,
                stock=listing.stock,
                stock_locate=listing.stock_locate,
                enabled=1,
                trading_state="T",
                base_price=ladder.base_price,
                tick=ladder.tick,
                tick_reciprocal=(1 << 32) // ladder.tick + 1,
                span=ladder.span,
            ),
            command(
                Opcode.SET_LIMITS,
                symbol=symbol,
                max_notional=MUCH,
                loss_limit=MUCH,
                max_quantity=10_000,
                max_position=5_000,
                collar=1_000_000,
                locate_quantity=100_000,
                max_open_orders=8,
            ),
            command(
                Opcode.SET_QUOTER,
                symbol=symbol,
                half_spread=1 << 16,
                skew=40,
                size=100,
                min_change=1,
                enabled=int(quoting),
            ),
        ]
    made += [
        command(Opcode.SET_FEED, start_sequence=1, hold_ns=1_000_000, session=session, strict=1),
        command(Opcode.LOGIN, username="me", password="pw", sequence="0".rjust(20)),
    ]
    return [(at, data) for data in made]
