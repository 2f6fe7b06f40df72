"""The whole card through its pins: an exchange on Ethernet, a host with memory and a driver, and cocotb benches that use them."""
