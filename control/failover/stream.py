"""The stream and the lease's bucket on NATS JetStream: compare and set, read, follow.

Every message says which one it expects before it (``Nats-Expected-Last-Sequence``), so that of two primaries only one can write;
and has a name of its content (``Nats-Msg-Id``), so that one that was sent twice is stored once. A stream with three replicas
acknowledges what two of them have; on the disk, if the servers run with ``sync_interval: always``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from types import TracebackType
from typing import NamedTuple, TypeVar

import nats
import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, KeyValueConfig, StorageType, StreamConfig
from nats.js.errors import APIError, BadRequestError, KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KeyValue

from control.failover.message import HEADER, MOST_RECORDS, Message, unpack
from control.store.record import RECORD_BYTES
from control.store.segment import JournalError

WRONG_LAST_SEQUENCE = 10071
LEASE_KEY = "primary"
BATCH = 64

Answer = TypeVar("Answer")


class ReplicationError(JournalError):
    """Replication that cannot go on; the text says where and why."""


class UnreachableError(ReplicationError):
    """No answer from NATS, or none that helps, within the time it is given. It may be there again later."""


class MovedError(ReplicationError):
    """The stream has another last message than the one that was expected."""


class Stored(NamedTuple):
    """A message and its number in the stream."""

    number: int
    message: Message


class Stream:
    """A journal's stream, and the bucket with the lease of who writes it. `connect` makes one.

    Parameters
    ----------
    client : Client
        Connected; closed with the stream.
    name : str
        Of stream, subject and bucket.
    timeout : float
        Seconds that any answer may take.
    """

    def __init__(self, client: Client, name: str, timeout: float) -> None:
        self.name = name
        self._client, self._timeout = client, timeout
        self._js: JetStreamContext = client.jetstream(timeout=timeout)
        self._bucket: KeyValue | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection to any server now."""
        return bool(self._client.is_connected)

    async def close(self) -> None:
        """Give the connection back."""
        await self._client.close()

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    # -- messages ------------------------------------------------------------------------------

    async def publish(self, message: Message, after: int) -> int:
        """Store a message behind number ``after``; its own number.

        Raises
        ------
        MovedError
            Something else is stored there.
        UnreachableError
            It is not known whether it is stored.
        """
        headers = {"Nats-Expected-Last-Sequence": str(after), "Nats-Msg-Id": message.name}
        try:
            answer = await self._answer(self._js.publish(self.name, message.pack(), headers=headers, stream=self.name))
        except BadRequestError as error:
            if error.err_code == WRONG_LAST_SEQUENCE:
                raise MovedError(f"stream {self.name}: something else is stored behind message {after}") from error
            raise UnreachableError(f"stream {self.name}: {error}") from error
        return int(answer.seq)

    async def bounds(self) -> tuple[int, int]:
        """Numbers of the first and the last message; (1, 0) when there is none."""
        state = (await self._answer(self._js.stream_info(self.name))).state
        return max(1, state.first_seq), state.last_seq

    async def message(self, number: int) -> Message:
        """The message with a number.

        Raises
        ------
        ReplicationError
            It is not there, or is no message of ours.
        """
        try:
            found = await self._answer(self._js.get_msg(self.name, seq=number))
        except NotFoundError as error:
            raise ReplicationError(f"stream {self.name}: message {number} should be there: {error.description}") from error
        return self._unpacked(number, found.data)

    async def last(self) -> Stored | None:
        """The last message."""
        _, number = await self.bounds()
        return Stored(number, await self.message(number)) if number else None

    async def follow(self, after: int, seconds: float) -> AsyncIterator[list[Stored]]:
        """The messages behind number ``after``, in order, some at a time: for ever, an empty list whenever none came for so long.

        Raises
        ------
        UnreachableError
            It cannot go on. To be called again.
        """
        first, last = await self.bounds()
        if after + 1 < first:
            raise ReplicationError(f"stream {self.name}: begins with message {first}, and {after + 1} is needed")
        if after > last:
            raise ReplicationError(f"stream {self.name}: ends with message {last}, and {after} was there already")
        wanted = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=after + 1,
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=30.0,
        )
        subscription = await self._answer(self._js.pull_subscribe(self.name, stream=self.name, config=wanted))
        missing = False
        try:
            while True:
                try:
                    found = await subscription.fetch(BATCH, timeout=seconds)
                except (TimeoutError, nats.errors.TimeoutError):
                    found = []
                except (nats.errors.Error, OSError) as error:
                    raise UnreachableError(f"stream {self.name}: {error}") from error
                batch = []
                for each in found:
                    number = each.metadata.sequence.stream
                    if number != after + 1:
                        raise UnreachableError(f"stream {self.name}: message {number} came behind {after}")
                    batch.append(Stored(number, self._unpacked(number, each.data)))
                    after = number
                if batch:
                    missing = False
                elif (await self.bounds())[1] > after:
                    if missing:  # twice: it did not come in between either
                        raise UnreachableError(f"stream {self.name}: what is behind message {after} does not come")
                    missing = True
                yield batch
        finally:
            await self._forgotten(subscription)

    # -- the lease's bucket --------------------------------------------------------------------

    async def read_lease(self) -> tuple[int, bytes]:
        """Revision and content of the lease; (0, b"") when there was none."""
        bucket = await self._lease_bucket()
        try:
            found = await self._answer(bucket.get(LEASE_KEY))
        except KeyNotFoundError:
            return 0, b""
        return int(found.revision or 0), found.value or b""

    async def write_lease(self, content: bytes, revision: int) -> int | None:
        """The lease's new revision; None if it no longer had the one that is expected (0: none)."""
        bucket = await self._lease_bucket()
        try:
            return int(await self._answer(bucket.update(LEASE_KEY, content, last=revision)))
        except KeyWrongLastSequenceError:
            return None

    async def _lease_bucket(self) -> KeyValue:
        if self._bucket is None:
            self._bucket = await self._answer(self._js.key_value(f"{self.name}-lease"))
        return self._bucket

    # -- inside --------------------------------------------------------------------------------

    async def make(self, replicas: int) -> None:
        """Stream and bucket, where they are not there yet.

        Raises
        ------
        ReplicationError
            A stream of the name is there, and is something else.
        UnreachableError
            They could not be made.
        """
        if self._client.max_payload < HEADER.size + MOST_RECORDS * RECORD_BYTES:
            raise ReplicationError(
                f"NATS at {self._client.connected_url}: max_payload is {self._client.max_payload} bytes, and messages take up to "
                f"{HEADER.size + MOST_RECORDS * RECORD_BYTES}"
            )
        wanted = StreamConfig(
            name=self.name,
            subjects=[self.name],
            num_replicas=replicas,
            storage=StorageType.FILE,
            deny_delete=True,
            deny_purge=True,
        )
        try:
            found = (await self._answer(self._js.stream_info(self.name))).config
        except NotFoundError:
            found = (await self._answer(self._js.add_stream(wanted))).config
        for key in ("subjects", "num_replicas", "storage"):
            if getattr(found, key) != getattr(wanted, key):
                raise ReplicationError(
                    f"stream {self.name}: {key} is {getattr(found, key)}, and should be {getattr(wanted, key)}"
                )
        bucket = KeyValueConfig(bucket=f"{self.name}-lease", replicas=replicas)
        self._bucket = await self._answer(self._js.create_key_value(bucket))

    async def _answer(self, question: Awaitable[Answer]) -> Answer:
        """What NATS says; what is no answer is one error."""
        try:
            return await asyncio.wait_for(question, self._timeout)
        except (NotFoundError, BadRequestError):
            raise
        except TimeoutError as error:
            raise UnreachableError(f"stream {self.name}: no answer of NATS in {self._timeout:g} s") from error
        except (nats.errors.Error, OSError) as error:
            text = error.description if isinstance(error, APIError) and error.description else str(error) or type(error).__name__
            raise UnreachableError(f"stream {self.name}: {text}") from error

    async def _forgotten(self, subscription: JetStreamContext.PullSubscription) -> None:
        try:
            await asyncio.wait_for(subscription.unsubscribe(), self._timeout)
        except (TimeoutError, nats.errors.Error, OSError):
            return  # it goes by itself when nobody asks it

    def _unpacked(self, number: int, data: bytes | None) -> Message:
        try:
            return unpack(data or b"")
        except ValueError as error:
            raise ReplicationError(f"stream {self.name}: message {number}: {error}") from error


async def connect(servers: tuple[str, ...], name: str, replicas: int, timeout: float, patience: float) -> Stream:
    """The stream, made if it is not there; within ``patience`` seconds.

    Raises
    ------
    UnreachableError
        No server answers, or too few of them.
    ReplicationError
        The stream cannot be used.
    """
    end = asyncio.get_running_loop().time() + patience

    async def silent(_: Exception) -> None:
        """Every failed attempt to reconnect comes here; what matters comes with the next answer that is missing."""

    while True:
        try:
            client = await asyncio.wait_for(
                nats.connect(
                    list(servers),
                    error_cb=silent,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.1,
                    connect_timeout=1,
                    ping_interval=1,
                    max_outstanding_pings=2,
                ),
                max(0.1, end - asyncio.get_running_loop().time()),
            )
            break
        except (TimeoutError, nats.errors.Error, OSError) as error:
            raise UnreachableError(f"NATS at {', '.join(servers)}: {str(error) or 'no answer'}") from error
    stream = Stream(client, name, timeout)
    try:
        while True:
            try:
                await stream.make(replicas)
                return stream
            except UnreachableError:
                if asyncio.get_running_loop().time() > end:
                    raise
                await asyncio.sleep(0.1)
    except BaseException:
        await stream.close()
        raise
