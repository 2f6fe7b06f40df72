"""The API: REST and WebSocket over the thread that owns the device."""
