"""FIX 4.2: header, trailer and messages. For the notation see :mod:`wire.fix.dictionary`."""

HEADER = """
    BeginString! BodyLength! MsgType! SenderCompID! TargetCompID! OnBehalfOfCompID DeliverToCompID SecureDataLen
    SecureData MsgSeqNum! SenderSubID SenderLocationID TargetSubID TargetLocationID OnBehalfOfSubID
    OnBehalfOfLocationID DeliverToSubID DeliverToLocationID PossDupFlag PossResend SendingTime! OrigSendingTime
    XmlDataLen XmlData MessageEncoding LastMsgSeqNumProcessed OnBehalfOfSendingTime
"""

TRAILER = """
    SignatureLength Signature CheckSum!
"""

COMPONENTS = ""

MESSAGES = """
0 Heartbeat:
    TestReqID
1 TestRequest:
    TestReqID!
2 ResendRequest:
    BeginSeqNo! EndSeqNo!
3 Reject:
    RefSeqNum! RefTagID RefMsgType SessionRejectReason Text EncodedTextLen EncodedText
4 SequenceReset:
    GapFillFlag NewSeqNo!
5 Logout:
    Text EncodedTextLen EncodedText
A Logon:
    EncryptMethod! HeartBtInt! RawDataLength RawData ResetSeqNumFlag MaxMessageSize NoMsgTypes( RefMsgType
    MsgDirection )
8 ExecutionReport:
    OrderID! SecondaryOrderID ClOrdID OrigClOrdID ClientID ExecBroker NoContraBrokers( ContraBroker ContraTrader
    ContraTradeQty ContraTradeTime ) ListID ExecID! ExecTransType! ExecRefID ExecType! OrdStatus! OrdRejReason
    ExecRestatementReason Account SettlmntTyp FutSettDate Symbol! SymbolSfx SecurityID IDSource SecurityType
    MaturityMonthYear MaturityDay PutOrCall StrikePrice OptAttribute ContractMultiplier CouponRate
    SecurityExchange Issuer EncodedIssuerLen EncodedIssuer SecurityDesc EncodedSecurityDescLen
    EncodedSecurityDesc Side! OrderQty CashOrderQty OrdType Price StopPx PegDifference DiscretionInst
    DiscretionOffset Currency ComplianceID SolicitedFlag TimeInForce EffectiveTime ExpireDate ExpireTime
    ExecInst Rule80A LastShares LastPx LastSpotRate LastForwardPoints LastMkt TradingSessionID LastCapacity
    LeavesQty! CumQty! AvgPx! DayOrderQty DayCumQty DayAvgPx GTBookingInst TradeDate TransactTime ReportToExch
    Commission CommType GrossTradeAmt SettlCurrAmt SettlCurrency SettlCurrFxRate SettlCurrFxRateCalc HandlInst
    MinQty MaxFloor OpenClose MaxShow Text EncodedTextLen EncodedText FutSettDate2 OrderQty2 ClearingFirm
    ClearingAccount MultiLegReportingType
9 OrderCancelReject:
    OrderID! SecondaryOrderID ClOrdID! OrigClOrdID! OrdStatus! ClientID ExecBroker ListID Account TransactTime
    CxlRejResponseTo! CxlRejReason Text EncodedTextLen EncodedText
D NewOrderSingle:
    ClOrdID! ClientID ExecBroker Account NoAllocs( AllocAccount AllocShares ) SettlmntTyp FutSettDate HandlInst!
    ExecInst MinQty MaxFloor ExDestination NoTradingSessions( TradingSessionID ) ProcessCode Symbol! SymbolSfx
    SecurityID IDSource SecurityType MaturityMonthYear MaturityDay PutOrCall StrikePrice OptAttribute
    ContractMultiplier CouponRate SecurityExchange Issuer EncodedIssuerLen EncodedIssuer SecurityDesc
    EncodedSecurityDescLen EncodedSecurityDesc PrevClosePx Side! LocateReqd TransactTime! OrderQty CashOrderQty
    OrdType! Price StopPx Currency ComplianceID SolicitedFlag IOIid QuoteID TimeInForce EffectiveTime ExpireDate
    ExpireTime GTBookingInst Commission CommType Rule80A ForexReq SettlCurrency Text EncodedTextLen EncodedText
    FutSettDate2 OrderQty2 OpenClose CoveredOrUncovered CustomerOrFirm MaxShow PegDifference DiscretionInst
    DiscretionOffset ClearingFirm ClearingAccount
F OrderCancelRequest:
    OrigClOrdID! OrderID ClOrdID! ListID Account ClientID ExecBroker Symbol! SymbolSfx SecurityID IDSource
    SecurityType MaturityMonthYear MaturityDay PutOrCall StrikePrice OptAttribute ContractMultiplier CouponRate
    SecurityExchange Issuer EncodedIssuerLen EncodedIssuer SecurityDesc EncodedSecurityDescLen
    EncodedSecurityDesc Side! TransactTime! OrderQty CashOrderQty ComplianceID SolicitedFlag Text EncodedTextLen
    EncodedText
G OrderCancelReplaceRequest:
    OrderID ClientID ExecBroker OrigClOrdID! ClOrdID! ListID Account NoAllocs( AllocAccount AllocShares )
    SettlmntTyp FutSettDate HandlInst! ExecInst MinQty MaxFloor ExDestination NoTradingSessions(
    TradingSessionID ) Symbol! SymbolSfx SecurityID IDSource SecurityType MaturityMonthYear MaturityDay
    PutOrCall StrikePrice OptAttribute ContractMultiplier CouponRate SecurityExchange Issuer EncodedIssuerLen
    EncodedIssuer SecurityDesc EncodedSecurityDescLen EncodedSecurityDesc Side! TransactTime! OrderQty
    CashOrderQty OrdType! Price StopPx PegDifference DiscretionInst DiscretionOffset ComplianceID SolicitedFlag
    Currency TimeInForce EffectiveTime ExpireDate ExpireTime GTBookingInst Commission CommType Rule80A ForexReq
    SettlCurrency Text EncodedTextLen EncodedText FutSettDate2 OrderQty2 OpenClose CoveredOrUncovered
    CustomerOrFirm MaxShow LocateReqd ClearingFirm ClearingAccount
H OrderStatusRequest:
    OrderID ClOrdID! ClientID Account ExecBroker Symbol! SymbolSfx SecurityID IDSource SecurityType
    MaturityMonthYear MaturityDay PutOrCall StrikePrice OptAttribute ContractMultiplier CouponRate
    SecurityExchange Issuer EncodedIssuerLen EncodedIssuer SecurityDesc EncodedSecurityDescLen
    EncodedSecurityDesc Side!
j BusinessMessageReject:
    RefSeqNum RefMsgType! BusinessRejectRefID BusinessRejectReason! Text EncodedTextLen EncodedText
c SecurityDefinitionRequest:
    SecurityReqID! SecurityRequestType! Symbol SymbolSfx SecurityID IDSource SecurityType MaturityMonthYear
    MaturityDay PutOrCall StrikePrice OptAttribute ContractMultiplier CouponRate SecurityExchange Issuer
    EncodedIssuerLen EncodedIssuer SecurityDesc EncodedSecurityDescLen EncodedSecurityDesc Currency Text
    EncodedTextLen EncodedText TradingSessionID NoRelatedSym( UnderlyingSymbol UnderlyingSymbolSfx
    UnderlyingSecurityID UnderlyingIDSource UnderlyingSecurityType UnderlyingMaturityMonthYear
    UnderlyingMaturityDay UnderlyingPutOrCall UnderlyingStrikePrice UnderlyingOptAttribute
    UnderlyingContractMultiplier UnderlyingCouponRate UnderlyingSecurityExchange UnderlyingIssuer
    EncodedUnderlyingIssuerLen EncodedUnderlyingIssuer UnderlyingSecurityDesc EncodedUnderlyingSecurityDescLen
    EncodedUnderlyingSecurityDesc RatioQty Side UnderlyingCurrency )
d SecurityDefinition:
    SecurityReqID! SecurityResponseID! SecurityResponseType TotalNumSecurities! Symbol SymbolSfx SecurityID
    IDSource SecurityType MaturityMonthYear MaturityDay PutOrCall StrikePrice OptAttribute ContractMultiplier
    CouponRate SecurityExchange Issuer EncodedIssuerLen EncodedIssuer SecurityDesc EncodedSecurityDescLen
    EncodedSecurityDesc Currency TradingSessionID Text EncodedTextLen EncodedText NoRelatedSym( UnderlyingSymbol
    UnderlyingSymbolSfx UnderlyingSecurityID UnderlyingIDSource UnderlyingSecurityType
    UnderlyingMaturityMonthYear UnderlyingMaturityDay UnderlyingPutOrCall UnderlyingStrikePrice
    UnderlyingOptAttribute UnderlyingContractMultiplier UnderlyingCouponRate UnderlyingSecurityExchange
    UnderlyingIssuer EncodedUnderlyingIssuerLen EncodedUnderlyingIssuer UnderlyingSecurityDesc
    EncodedUnderlyingSecurityDescLen EncodedUnderlyingSecurityDesc RatioQty Side UnderlyingCurrency )
"""

TYPES = """
    0 1 2 3 4 5 6 7 8 9 A B C D E F G H J K L M N P Q R S T V W X Y Z a b c d e f g h i j k l m
"""
"""Every MsgType that the version has: those without a declaration above are known, and not supported."""
