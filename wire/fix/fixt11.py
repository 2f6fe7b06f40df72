"""FIXT 1.1: header, trailer and session messages. For the notation see :mod:`wire.fix.dictionary`."""

HEADER = """
    BeginString! BodyLength! MsgType! ApplVerID ApplExtID CstmApplVerID SenderCompID! TargetCompID!
    OnBehalfOfCompID DeliverToCompID SecureDataLen SecureData MsgSeqNum! SenderSubID SenderLocationID
    TargetSubID TargetLocationID OnBehalfOfSubID OnBehalfOfLocationID DeliverToSubID DeliverToLocationID
    PossDupFlag PossResend SendingTime! OrigSendingTime XmlDataLen XmlData MessageEncoding
    LastMsgSeqNumProcessed NoHops( HopCompID HopSendingTime HopRefID )
"""

TRAILER = """
    SignatureLength Signature CheckSum!
"""

COMPONENTS = """

"""

MESSAGES = """
0 Heartbeat:
    TestReqID
1 TestRequest:
    TestReqID!
2 ResendRequest:
    BeginSeqNo! EndSeqNo!
3 Reject:
    RefSeqNum! RefTagID RefMsgType RefApplVerID RefApplExtID RefCstmApplVerID SessionRejectReason Text
    EncodedTextLen EncodedText
4 SequenceReset:
    GapFillFlag NewSeqNo!
5 Logout:
    SessionStatus Text EncodedTextLen EncodedText
A Logon:
    EncryptMethod! HeartBtInt! RawDataLength RawData ResetSeqNumFlag NextExpectedMsgSeqNum MaxMessageSize
    TestMessageIndicator Username Password NewPassword EncryptedPasswordMethod EncryptedPasswordLen
    EncryptedPassword EncryptedNewPasswordLen EncryptedNewPassword SessionStatus DefaultApplVerID!
    DefaultApplExtID DefaultCstmApplVerID Text EncodedTextLen EncodedText
"""

TYPES = """
    0 1 2 3 4 5 A n
"""
"""Every MsgType that the version has: those without a declaration above are known, and not supported."""
