"""A store whose expected number waits on record for what is not safe yet."""

from pathlib import Path

from control.gateway.fix.held import HeldStore
from control.gateway.fix.store import FileStore


def on_record(path: Path) -> int:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    store = FileStore(copy)
    store.close()
    return store.next_expected


def test_what_is_held_is_received_and_not_on_record(tmp_path: Path) -> None:
    store = HeldStore(tmp_path / "a")
    store.expect(2)
    first = store.hold(2)
    store.expect(3)
    second = store.hold(3)
    store.expect(4)
    store.expect(5)
    assert (store.next_expected, on_record(store.path)) == (5, 2)
    store.release(3, second)
    assert (store.next_expected, on_record(store.path)) == (5, 2)
    store.release(2, first)
    assert (store.next_expected, on_record(store.path)) == (5, 5)
    store.close()


def test_a_reset_forgets_what_is_held(tmp_path: Path) -> None:
    store = HeldStore(tmp_path / "a")
    old = store.hold(1)
    store.expect(2)
    store.reset(9)
    assert (store.next_expected, on_record(store.path)) == (1, 1)
    new = store.hold(1)
    store.expect(2)
    store.release(1, old)
    assert on_record(store.path) == 1
    store.release(1, new)
    assert on_record(store.path) == 2
    store.close()
