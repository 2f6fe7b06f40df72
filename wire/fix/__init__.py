"""FIX tag=value, versions 4.2, 4.4 and 5.0 SP2 on FIXT 1.1.

``scan`` finds messages and fields in a stream, ``columns`` reads one message type into NumPy columns, ``write``
makes messages; all three are compiled and copy nothing that they need not. ``message`` is what Python looks at:
a view of one message in its buffer. ``dictionary`` says what each version allows, ``validate`` holds a message
against it.
"""
