"""What the tests of the host interface share: components under test with plain ports, a host's memory on AXI that is as
unhelpful as the protocol allows, and the cocotb benches that tests/hw/test_host_*.py start.
"""
