"""cocotb benches for the Ethernet MACs: they run inside the simulator, started by tests/hw/test_mac_*.py."""
