"""Packets and connections that come and go: what leaves, what is dropped, and what the card is told."""

import random

import pytest
from amaranth.sim import Simulator

from hw.tcp.opening import Opening
from hw.tcp.segment import State
from hw.tcp.session_link import TAG, SessionLink
from tests.hw.simulation import beats
from wire import soupbintcp
from wire.records import Opcode, command

pytestmark = pytest.mark.gateware


def packet(rng: random.Random, login: bool) -> bytes:
    body = b"L" + rng.randbytes(46) if login else rng.choice([b"R", b"O", b"U" + rng.randbytes(rng.randrange(20, 50))])
    return len(body).to_bytes(2, "big") + body


def test_nothing_leaves_before_a_login_and_nothing_waits_for_a_connection(seed):
    """A model of one variable: whether a login has left since the connection began."""
    rng, dut = random.Random(seed), SessionLink()
    packets = [packet(rng, rng.random() < 0.2) for _ in range(400)]
    out, commands, unsent = [], [], 0
    expected, ends, dropped = [], 0, 0
    done = False

    async def drive(ctx):
        nonlocal ends, dropped, done
        up = logged = False
        for each in packets:
            login = each[2:3] == b"L"
            for number, beat in enumerate(beats(each)):
                ctx.set(dut.i.payload, beat)
                ctx.set(dut.i.valid, 1)
                while True:
                    # Connections begin and end between packets; the line takes a packet without a pause or not at all.
                    if number == 0:
                        if up and rng.random() < 0.1:
                            ctx.set(dut.closed, 1)
                            ctx.set(dut.i.valid, 0)
                            await ctx.tick()
                            ctx.set(dut.closed, 0)
                            ctx.set(dut.i.valid, 1)
                            ends += logged
                            up = logged = False
                        elif not up and rng.random() < 0.2:
                            up = True
                        ctx.set(dut.state, State.ESTABLISHED if up else State.CLOSED)
                        ctx.set(dut.o.ready, rng.random() < 0.5)
                        passes = up and (logged or login)
                    await ctx.delay(0)
                    if ctx.get(dut.i.ready):
                        break
                    await ctx.tick()
                if number == 0:
                    if passes:
                        expected.append(each)
                        logged = True
                        ctx.set(dut.o.ready, 1)
                    else:
                        dropped += 1
                await ctx.tick()
                assert ctx.get(dut.login) == logged
            ctx.set(dut.i.valid, 0)
            if rng.random() < 0.3:
                await ctx.tick().repeat(rng.randrange(1, 12))
        await ctx.tick().repeat(20)
        done = True

    async def hear(ctx):
        nonlocal unsent
        said = bytearray()
        async for _, _, valid, ready, beat, count in ctx.tick().sample(
            dut.o.valid, dut.o.ready, dut.o.payload, dut.count_packets_unsent
        ):
            unsent += count
            if valid and ready:
                said += beat.data.to_bytes(8, "little")[: beat.count]
                if beat.last:
                    out.append(bytes(said))
                    said.clear()

    async def obey(ctx):
        ctx.set(dut.command.ready, 1)
        told = bytearray()
        async for _, _, valid, beat in ctx.tick().sample(dut.command.valid, dut.command.payload):
            if valid:
                assert beat.count == 8
                told += beat.data.to_bytes(8, "little")
                if beat.last:
                    commands.append(bytes(told))
                    told.clear()

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(drive)
    simulator.add_testbench(hear, background=True)
    simulator.add_testbench(obey, background=True)
    simulator.run()
    assert done
    assert out == expected
    assert unsent == dropped > 50
    assert len(expected) > 50
    assert set(commands) == {command(Opcode.SESSION_DOWN, tag=TAG)}
    assert ends - 3 <= len(commands) <= ends, "one for each end, or for two within the time of a command"
    assert soupbintcp.LOGIN_REQUEST.code == "L"


# -- the way to the exchange ---------------------------------------------------------------------------------------


def opening(answers: list[tuple[bool, int]], closed: bool = True) -> dict[str, list]:
    """One ``connect`` for each answer, and two while it is busy."""
    dut, found = Opening(), {"asked": [], "opened": [], "refused": []}

    async def drive(ctx):
        ctx.set(dut.closed, closed)
        for number, (good, mac) in enumerate(answers):
            ctx.set(dut.address, 0x0A000001 + number)
            ctx.set(dut.connect, 1)
            await ctx.tick()
            if not closed:
                ctx.set(dut.connect, 0)
                await ctx.tick().repeat(40)
                continue
            await ctx.tick()
            ctx.set(dut.connect, 0)
            ctx.set(dut.resolve.ready, 1)
            (asked,) = await ctx.tick().sample(dut.resolve.payload).until(dut.resolve.valid)
            found["asked"].append(asked)
            ctx.set(dut.resolve.ready, 0)
            await ctx.tick().repeat(number + 1)
            assert ctx.get(dut.busy)
            ctx.set(dut.resolved.payload, {"mac": mac, "found": good})
            ctx.set(dut.resolved.valid, 1)
            await ctx.tick().until(dut.resolved.ready)
            ctx.set(dut.resolved.valid, 0)
            waited = 0
            while ctx.get(dut.busy):
                if ctx.get(dut.open):
                    found["opened"].append((waited, ctx.get(dut.mac)))
                waited += 1
                await ctx.tick()
            assert ctx.get(dut.unreachable) == (not good)

    async def count(ctx):
        async for _, _, refused in ctx.tick().sample(dut.count_connections_refused):
            if refused:
                found["refused"].append(refused)

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(drive)
    simulator.add_testbench(count, background=True)
    simulator.run()
    return found


def test_a_connection_is_opened_when_its_address_has_settled():
    found = opening([(True, 0x020000000001), (False, 5), (True, 0x020000000002)])
    assert found["asked"] == [0x0A000001, 0x0A000002, 0x0A000003]
    assert [mac for _, mac in found["opened"]] == [0x020000000001, 0x020000000002]
    assert all(waited >= 8 for waited, _ in found["opened"])
    assert len(found["refused"]) == 1


def test_an_open_connection_is_not_opened_again():
    assert opening([(True, 1)], closed=False) == {"asked": [], "opened": [], "refused": []}
