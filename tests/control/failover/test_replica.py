"""Primary, stream and standby in one process, against real NATS servers: what is acknowledged, refused, told."""

import asyncio
import threading
from pathlib import Path

import pytest

from control.configuration import Replication
from control.failover.lease import LeaseHeldError
from control.failover.message import Message
from control.failover.primary import Primary, open_stream
from control.failover.publisher import FencedError
from control.failover.replica import BehindError, GapError, Replica
from control.failover.standby import Standby
from control.failover.stream import MovedError, ReplicationError, Stream
from control.store import ForkError, Journal, JournalFailedError
from control.store.committer import Committer
from tests.control.failover.processes import check, entries
from tests.control.journal_crashes import SEGMENT_RECORDS, entry


def primary(folder: Path, settings: Replication, **options) -> Primary:
    options = {"patience": 30.0, "lost": lambda reason: None} | options
    return Primary(folder, settings, segment_records=SEGMENT_RECORDS, **options)


def append(one: Primary, first: int, count: int) -> None:
    for done in [one.committer.append(*entry(n)) for n in range(first, first + count)]:
        done.result(30)


def with_stream(settings: Replication, work):
    """What ``work`` makes of the stream."""

    async def run():
        async with await open_stream(settings, 30) as stream:
            return await work(stream)

    return asyncio.run(run())


def follow(folder: Path, settings: Replication) -> Replica:
    """A standby that has taken all there is; its journal is closed again."""

    async def work(stream: Stream) -> Replica:
        with Journal(folder, segment_records=SEGMENT_RECORDS) as journal:
            replica = Replica(journal, stream)
            await replica.find()
            await replica.catch_up()
            return replica

    return with_stream(settings, work)


def test_the_standby_has_the_same_chain_and_catches_up_from_its_own_last_record(
    tmp_path: Path, replicated: Replication
) -> None:
    done = 0
    for count in (1, 250, 40):
        with primary(tmp_path / "a", replicated) as one:
            append(one, done, count)
            assert one.lag().records == 0
        done += count
        follow(tmp_path / "b", replicated)
        assert check(done, tmp_path / "b", tmp_path / "a") == {
            "acknowledged": done, "entries": done, "lost": 0, "same": True, "ahead": 0,
        }  # fmt: skip


def test_a_journal_from_before_there_was_a_stream_goes_into_it(tmp_path: Path, replicated: Replication) -> None:
    with Journal(tmp_path / "a", segment_records=SEGMENT_RECORDS) as journal:
        for n in range(100):
            journal.append(*entry(n))
        journal.append(5, bytes(300_000), 7)
        journal.commit()
    with primary(tmp_path / "a", replicated) as one:
        one.committer.append(6, b"last", 8).result(30)
    follow(tmp_path / "b", replicated)
    assert entries(tmp_path / "b") == entries(tmp_path / "a")


def test_an_entry_that_no_message_can_hold_is_refused(tmp_path: Path, replicated: Replication) -> None:
    with primary(tmp_path / "a", replicated) as one:
        with pytest.raises(ValueError, match="a payload of 500000 bytes: at most 376832"):
            one.committer.append(1, bytes(500_000), 0).result(30)
        append(one, 0, 1)


def test_an_entry_that_is_published_before_its_turn_to_wait_is_acknowledged(tmp_path: Path, replicated: Replication) -> None:
    """The publisher reads what is committed whenever it looks: it may be quicker than the call that says who waits for it."""
    with primary(tmp_path / "a", replicated) as one:

        class Late:
            def call_soon_threadsafe(self, more, *arguments) -> None:
                one._loop.call_soon_threadsafe(one._publisher._wake.set)
                while one.published < one._publisher._committed:
                    pass
                one._loop.call_soon_threadsafe(more, *arguments)

        one._publisher._loop = Late()
        append(one, 0, 1)


def test_there_is_one_primary(tmp_path: Path, replicated: Replication) -> None:
    with primary(tmp_path / "a", replicated, name="the first"), pytest.raises(LeaseHeldError, match="the first has it, epoch 1"):
        primary(tmp_path / "b", replicated, patience=2.0)


def test_a_silent_primary_that_does_not_stop_is_left_alone_unless_it_is_forced(tmp_path: Path, local: Replication) -> None:
    one = primary(tmp_path / "a", local)
    append(one, 0, 10)
    one._call(one._publisher.drain(30))
    one._loop.call_soon_threadsafe(lambda: [task.cancel() for task in one._lease._tasks])  # silent from now on
    with pytest.raises(LeaseHeldError, match="only --force takes it"):
        primary(tmp_path / "b", local, patience=2.5)
    with primary(tmp_path / "b", local, force=True) as two:
        assert two.promotion.epoch == 2
        append(two, 10, 1)
        one.committer.append(*entry(10)).result(30)  # mode local: the journal alone
        assert one._call(one._publisher.drain(10)) is False
        with pytest.raises(FencedError, match=r"epoch 1: stream \w+ is at epoch 2"):
            raise one._publisher._ended
    one.close()
    assert entries(tmp_path / "b")[:11] == [entry(n) for n in range(11)]


def test_what_the_primary_acknowledged_and_the_stream_has_not_is_not_lost_silently(tmp_path: Path, local: Replication) -> None:
    one = primary(tmp_path / "a", local)
    append(one, 0, 20)
    one._call(one._publisher.drain(30))
    one._publisher._publish = lambda: asyncio.Event().wait()
    append(one, 20, 5)
    assert one.lag().records > 0
    one.close(drain=0.1)
    last = one.committer.journal.acknowledged
    with pytest.raises(BehindError, match=rf"the primary acknowledged {last}: \d+ records would be lost"):
        primary(tmp_path / "b", local)
    with pytest.raises(BehindError):  # still, when it is tried again
        primary(tmp_path / "b", local)
    with primary(tmp_path / "a", local) as again:  # who has them may
        assert again.promotion.sequence == last
    with primary(tmp_path / "b", local) as two:
        assert two.promotion.sequence == last


def test_a_fork_is_told_with_its_record(tmp_path: Path, local: Replication) -> None:
    one = primary(tmp_path / "a", local)
    append(one, 0, 20)
    one._call(one._publisher.drain(30))
    common = one.published
    one._publisher._publish = lambda: asyncio.Event().wait()
    append(one, 20, 3)
    one.close(drain=0.1)
    with Journal(tmp_path / "b", segment_records=SEGMENT_RECORDS) as journal:
        promoted = asyncio.run(Standby(journal, local, take=True, force=False, accept_loss=True).run(lambda status: None, 1.0))
        assert promoted.sequence == common
    with primary(tmp_path / "b", local) as two:  # the loss was accepted once and for all
        append(two, 100, 30)
    with pytest.raises(ForkError, match=rf"record {common + 1} is not the one that is in stream"):
        follow(tmp_path / "a", local)
    with pytest.raises(ForkError, match=rf"record {common + 1} is not"):
        primary(tmp_path / "a", local)
    with Committer(Journal(tmp_path / "c", segment_records=SEGMENT_RECORDS)) as committer:
        committer.append(*entry(7)).result(30)
    with pytest.raises(ForkError, match="record 1 is not"):  # the head of its segment has another time
        follow(tmp_path / "c", local)


def test_a_stream_that_begins_later_than_the_journal_ends_is_told(tmp_path: Path, replicated: Replication) -> None:
    async def work(stream: Stream) -> None:
        await stream.publish(Message(1, 50, bytes(32), 0), 0)

    with_stream(replicated, work)
    with pytest.raises(GapError, match=r"ends with record 0, and stream \w+ begins with 50"):
        follow(tmp_path / "a", replicated)


def test_the_stream_takes_a_message_only_where_it_belongs_and_once(replicated: Replication) -> None:
    async def work(stream: Stream) -> None:
        begin, other = Message(1, 1, bytes(32), 0), Message(2, 1, bytes(32), 0)
        assert await stream.publish(begin, 0) == 1
        assert await stream.publish(begin._replace(stamp=5), 0) == 1, "the same again is not stored again"
        with pytest.raises(MovedError):
            await stream.publish(other, 0)
        assert await stream.publish(other, 1) == 2
        assert await stream.bounds() == (1, 2)

    with_stream(replicated, work)


def test_a_standby_takes_nothing_from_an_epoch_that_is_over(tmp_path: Path, replicated: Replication) -> None:
    """A primary that does not respect the stream's order cannot write to a standby either."""
    with primary(tmp_path / "a", replicated) as one:
        append(one, 0, 10)
    with primary(tmp_path / "a", replicated) as one:
        append(one, 10, 1)
        last = one.published
    with Journal(tmp_path / "a", segment_records=SEGMENT_RECORDS) as journal:
        journal.append(*entry(11))
        journal.commit()
        reader = journal.reader()
        message = Message(1, last + 1, reader.digest(last), 0, reader.read(last + 1, journal.acknowledged))

    async def work(stream: Stream) -> None:
        _, number = await stream.bounds()
        await stream.publish(message, number)

    with_stream(replicated, work)
    replica = follow(tmp_path / "b", replicated)
    assert replica.refused == 1
    assert check(11, tmp_path / "b", tmp_path / "a")["entries"] == 11


def test_losing_the_lease_is_told_in_time_and_nothing_more_is_acknowledged(tmp_path: Path, replicated: Replication) -> None:
    told = threading.Event()
    one = primary(tmp_path / "a", replicated, lost=lambda reason: told.set())
    append(one, 0, 5)

    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    one._stream.write_lease = silent
    assert told.wait(30)
    with pytest.raises(JournalFailedError, match="was not renewed for 1 s"):
        append(one, 5, 1)
    one.close()


def test_a_stream_of_something_else_is_refused(replicated: Replication) -> None:
    with pytest.raises(ReplicationError, match="num_replicas is 3, and should be 1"):
        with_stream(replicated.model_copy(update={"replicas": 1}), None)


def test_no_server_is_told_with_its_address() -> None:
    settings = Replication(servers="nats://127.0.0.1:9")
    with pytest.raises(ReplicationError, match=r"NATS at nats://127\.0\.0\.1:9: no answer"):
        asyncio.run(open_stream(settings, 0.5))
    with pytest.raises(ReplicationError, match=r"replication\.servers: empty"):
        asyncio.run(open_stream(Replication(), 0.5))
