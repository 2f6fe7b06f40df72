"""FIX 4.4: header, trailer, components and messages. For the notation see :mod:`wire.fix.dictionary`."""

HEADER = """
    BeginString! BodyLength! MsgType! SenderCompID! TargetCompID! OnBehalfOfCompID DeliverToCompID SecureDataLen
    SecureData MsgSeqNum! SenderSubID SenderLocationID TargetSubID TargetLocationID OnBehalfOfSubID
    OnBehalfOfLocationID DeliverToSubID DeliverToLocationID PossDupFlag PossResend SendingTime! OrigSendingTime
    XmlDataLen XmlData MessageEncoding LastMsgSeqNumProcessed NoHops( HopCompID HopSendingTime HopRefID )
"""

TRAILER = """
    SignatureLength Signature CheckSum!
"""

COMPONENTS = """
AffectedOrdGrp:
    NoAffectedOrders( OrigClOrdID AffectedOrderID AffectedSecondaryOrderID )
AttrbGrp:
    NoInstrAttrib( InstrAttribType InstrAttribValue )
ClrInstGrp:
    NoClearingInstructions( ClearingInstruction )
CommissionData:
    Commission CommType CommCurrency FundRenewWaiv
ContAmtGrp:
    NoContAmts( ContAmtType ContAmtValue ContAmtCurr )
ContraGrp:
    NoContraBrokers( ContraBroker ContraTrader ContraTradeQty ContraTradeTime ContraLegRefID )
DiscretionInstructions:
    DiscretionInst DiscretionOffsetValue DiscretionMoveType DiscretionOffsetType DiscretionLimitType
    DiscretionRoundDirection DiscretionScope
EvntGrp:
    NoEvents( EventType EventDate EventPx EventText )
FinancingDetails:
    AgreementDesc AgreementID AgreementDate AgreementCurrency TerminationType StartDate EndDate DeliveryType
    MarginRatio
InstrmtLegExecGrp:
    NoLegs( @InstrumentLeg LegQty LegSwapType @LegStipulations LegPositionEffect LegCoveredOrUncovered
    @NestedParties LegRefID LegPrice LegSettlType LegSettlDate LegLastPx )
InstrmtLegGrp:
    NoLegs( @InstrumentLeg )
Instrument:
    Symbol SymbolSfx SecurityID SecurityIDSource @SecAltIDGrp Product CFICode SecurityType SecuritySubType
    MaturityMonthYear MaturityDate PutOrCall CouponPaymentDate IssueDate RepoCollateralSecurityType
    RepurchaseTerm RepurchaseRate Factor CreditRating InstrRegistry CountryOfIssue StateOrProvinceOfIssue
    LocaleOfIssue RedemptionDate StrikePrice StrikeCurrency OptAttribute ContractMultiplier CouponRate
    SecurityExchange Issuer EncodedIssuerLen EncodedIssuer SecurityDesc EncodedSecurityDescLen
    EncodedSecurityDesc Pool ContractSettlMonth CPProgram CPRegType @EvntGrp DatedDate InterestAccrualDate
InstrumentExtension:
    DeliveryForm PctAtRisk @AttrbGrp
InstrumentLeg:
    LegSymbol LegSymbolSfx LegSecurityID LegSecurityIDSource @LegSecAltIDGrp LegProduct LegCFICode
    LegSecurityType LegSecuritySubType LegMaturityMonthYear LegMaturityDate LegCouponPaymentDate LegIssueDate
    LegRepoCollateralSecurityType LegRepurchaseTerm LegRepurchaseRate LegFactor LegCreditRating LegInstrRegistry
    LegCountryOfIssue LegStateOrProvinceOfIssue LegLocaleOfIssue LegRedemptionDate LegStrikePrice
    LegStrikeCurrency LegOptAttribute LegContractMultiplier LegCouponRate LegSecurityExchange LegIssuer
    EncodedLegIssuerLen EncodedLegIssuer LegSecurityDesc EncodedLegSecurityDescLen EncodedLegSecurityDesc
    LegRatioQty LegSide LegCurrency LegPool LegDatedDate LegContractSettlMonth LegInterestAccrualDate
LegSecAltIDGrp:
    NoLegSecurityAltID( LegSecurityAltID LegSecurityAltIDSource )
LegStipulations:
    NoLegStipulations( LegStipulationType LegStipulationValue )
MiscFeesGrp:
    NoMiscFees( MiscFeeAmt MiscFeeCurr MiscFeeType MiscFeeBasis )
NestedParties:
    NoNestedPartyIDs( NestedPartyID NestedPartyIDSource NestedPartyRole @NstdPtysSubGrp )
NestedParties2:
    NoNested2PartyIDs( Nested2PartyID Nested2PartyIDSource Nested2PartyRole @NstdPtys2SubGrp )
NstdPtys2SubGrp:
    NoNested2PartySubIDs( Nested2PartySubID Nested2PartySubIDType )
NstdPtysSubGrp:
    NoNestedPartySubIDs( NestedPartySubID NestedPartySubIDType )
OrderQtyData:
    OrderQty CashOrderQty OrderPercent RoundingDirection RoundingModulus
Parties:
    NoPartyIDs( PartyID PartyIDSource PartyRole @PtysSubGrp )
PegInstructions:
    PegOffsetValue PegMoveType PegOffsetType PegLimitType PegRoundDirection PegScope
PositionAmountData:
    NoPosAmt( PosAmtType PosAmt )
PreAllocGrp:
    NoAllocs( AllocAccount AllocAcctIDSource AllocSettlCurrency IndividualAllocID @NestedParties AllocQty )
PtysSubGrp:
    NoPartySubIDs( PartySubID PartySubIDType )
SecAltIDGrp:
    NoSecurityAltID( SecurityAltID SecurityAltIDSource )
SpreadOrBenchmarkCurveData:
    Spread BenchmarkCurveCurrency BenchmarkCurveName BenchmarkCurvePoint BenchmarkPrice BenchmarkPriceType
    BenchmarkSecurityID BenchmarkSecurityIDSource
Stipulations:
    NoStipulations( StipulationType StipulationValue )
TrdAllocGrp:
    NoAllocs( AllocAccount AllocAcctIDSource AllocSettlCurrency IndividualAllocID @NestedParties2 AllocQty )
TrdCapRptSideGrp:
    NoSides!( Side! OrderID! SecondaryOrderID ClOrdID SecondaryClOrdID ListID @Parties Account AcctIDSource
    AccountType ProcessCode OddLot @ClrInstGrp TradeInputSource TradeInputDevice OrderInputDevice Currency
    ComplianceID SolicitedFlag OrderCapacity OrderRestrictions CustOrderCapacity OrdType ExecInst TransBkdTime
    TradingSessionID TradingSessionSubID TimeBracket @CommissionData GrossTradeAmt NumDaysInterest ExDate
    AccruedInterestRate AccruedInterestAmt InterestAtMaturity EndAccruedInterestAmt StartCash EndCash Concession
    TotalTakedown NetMoney SettlCurrAmt SettlCurrency SettlCurrFxRate SettlCurrFxRateCalc PositionEffect Text
    EncodedTextLen EncodedText SideMultiLegReportingType @ContAmtGrp @Stipulations @MiscFeesGrp ExchangeRule
    TradeAllocIndicator PreallocMethod AllocID @TrdAllocGrp )
TrdInstrmtLegGrp:
    NoLegs( @InstrumentLeg LegQty LegSwapType @LegStipulations LegPositionEffect LegCoveredOrUncovered
    @NestedParties LegRefID LegPrice LegSettlType LegSettlDate LegLastPx )
TrdRegTimestamps:
    NoTrdRegTimestamps( TrdRegTimestamp TrdRegTimestampType TrdRegTimestampOrigin )
TrdgSesGrp:
    NoTradingSessions( TradingSessionID TradingSessionSubID )
UndInstrmtGrp:
    NoUnderlyings( @UnderlyingInstrument )
UndSecAltIDGrp:
    NoUnderlyingSecurityAltID( UnderlyingSecurityAltID UnderlyingSecurityAltIDSource )
UnderlyingInstrument:
    UnderlyingSymbol UnderlyingSymbolSfx UnderlyingSecurityID UnderlyingSecurityIDSource @UndSecAltIDGrp
    UnderlyingProduct UnderlyingCFICode UnderlyingSecurityType UnderlyingSecuritySubType
    UnderlyingMaturityMonthYear UnderlyingMaturityDate UnderlyingPutOrCall UnderlyingCouponPaymentDate
    UnderlyingIssueDate UnderlyingRepoCollateralSecurityType UnderlyingRepurchaseTerm UnderlyingRepurchaseRate
    UnderlyingFactor UnderlyingCreditRating UnderlyingInstrRegistry UnderlyingCountryOfIssue
    UnderlyingStateOrProvinceOfIssue UnderlyingLocaleOfIssue UnderlyingRedemptionDate UnderlyingStrikePrice
    UnderlyingStrikeCurrency UnderlyingOptAttribute UnderlyingContractMultiplier UnderlyingCouponRate
    UnderlyingSecurityExchange UnderlyingIssuer EncodedUnderlyingIssuerLen EncodedUnderlyingIssuer
    UnderlyingSecurityDesc EncodedUnderlyingSecurityDescLen EncodedUnderlyingSecurityDesc UnderlyingCPProgram
    UnderlyingCPRegType UnderlyingCurrency UnderlyingQty UnderlyingPx UnderlyingDirtyPrice UnderlyingEndPrice
    UnderlyingStartValue UnderlyingCurrentValue UnderlyingEndValue @UnderlyingStipulations
UnderlyingStipulations:
    NoUnderlyingStips( UnderlyingStipType UnderlyingStipValue )
YieldData:
    YieldType Yield YieldCalcDate YieldRedemptionDate YieldRedemptionPrice YieldRedemptionPriceType
"""

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
    EncryptMethod! HeartBtInt! RawDataLength RawData ResetSeqNumFlag NextExpectedMsgSeqNum MaxMessageSize
    NoMsgTypes( RefMsgType MsgDirection ) TestMessageIndicator Username Password
8 ExecutionReport:
    OrderID! SecondaryOrderID SecondaryClOrdID SecondaryExecID ClOrdID OrigClOrdID ClOrdLinkID QuoteRespID
    OrdStatusReqID MassStatusReqID TotNumReports LastRptRequested @Parties TradeOriginationDate @ContraGrp
    ListID CrossID OrigCrossID CrossType ExecID! ExecRefID ExecType! OrdStatus! WorkingIndicator OrdRejReason
    ExecRestatementReason Account AcctIDSource AccountType DayBookingInst BookingUnit PreallocMethod SettlType
    SettlDate CashMargin ClearingFeeIndicator @Instrument! @FinancingDetails @UndInstrmtGrp Side! @Stipulations
    QtyType @OrderQtyData OrdType PriceType Price StopPx @PegInstructions @DiscretionInstructions PeggedPrice
    DiscretionPrice TargetStrategy TargetStrategyParameters ParticipationRate TargetStrategyPerformance Currency
    ComplianceID SolicitedFlag TimeInForce EffectiveTime ExpireDate ExpireTime ExecInst OrderCapacity
    OrderRestrictions CustOrderCapacity LastQty UnderlyingLastQty LastPx UnderlyingLastPx LastParPx LastSpotRate
    LastForwardPoints LastMkt TradingSessionID TradingSessionSubID TimeBracket LastCapacity LeavesQty! CumQty!
    AvgPx! DayOrderQty DayCumQty DayAvgPx GTBookingInst TradeDate TransactTime ReportToExch @CommissionData
    @SpreadOrBenchmarkCurveData @YieldData GrossTradeAmt NumDaysInterest ExDate AccruedInterestRate
    AccruedInterestAmt InterestAtMaturity EndAccruedInterestAmt StartCash EndCash TradedFlatSwitch
    BasisFeatureDate BasisFeaturePrice Concession TotalTakedown NetMoney SettlCurrAmt SettlCurrency
    SettlCurrFxRate SettlCurrFxRateCalc HandlInst MinQty MaxFloor PositionEffect MaxShow BookingType Text
    EncodedTextLen EncodedText SettlDate2 OrderQty2 LastForwardPoints2 MultiLegReportingType CancellationRights
    MoneyLaunderingStatus RegistID Designation TransBkdTime ExecValuationPoint ExecPriceType ExecPriceAdjustment
    PriorityIndicator PriceImprovement LastLiquidityInd @ContAmtGrp @InstrmtLegExecGrp CopyMsgIndicator
    @MiscFeesGrp
9 OrderCancelReject:
    OrderID! SecondaryOrderID SecondaryClOrdID ClOrdID! ClOrdLinkID OrigClOrdID! OrdStatus! WorkingIndicator
    OrigOrdModTime ListID Account AcctIDSource AccountType TradeOriginationDate TradeDate TransactTime
    CxlRejResponseTo! CxlRejReason Text EncodedTextLen EncodedText
D NewOrderSingle:
    ClOrdID! SecondaryClOrdID ClOrdLinkID @Parties TradeOriginationDate TradeDate Account AcctIDSource
    AccountType DayBookingInst BookingUnit PreallocMethod AllocID @PreAllocGrp SettlType SettlDate CashMargin
    ClearingFeeIndicator HandlInst ExecInst MinQty MaxFloor ExDestination @TrdgSesGrp ProcessCode @Instrument!
    @FinancingDetails @UndInstrmtGrp PrevClosePx Side! LocateReqd TransactTime! @Stipulations QtyType
    @OrderQtyData! OrdType! PriceType Price StopPx @SpreadOrBenchmarkCurveData @YieldData Currency ComplianceID
    SolicitedFlag IOIID QuoteID TimeInForce EffectiveTime ExpireDate ExpireTime GTBookingInst @CommissionData
    OrderCapacity OrderRestrictions CustOrderCapacity ForexReq SettlCurrency BookingType Text EncodedTextLen
    EncodedText SettlDate2 OrderQty2 Price2 PositionEffect CoveredOrUncovered MaxShow @PegInstructions
    @DiscretionInstructions TargetStrategy TargetStrategyParameters ParticipationRate CancellationRights
    MoneyLaunderingStatus RegistID Designation
F OrderCancelRequest:
    OrigClOrdID! OrderID ClOrdID! SecondaryClOrdID ClOrdLinkID ListID OrigOrdModTime Account AcctIDSource
    AccountType @Parties @Instrument! @FinancingDetails @UndInstrmtGrp Side! TransactTime! @OrderQtyData!
    ComplianceID Text EncodedTextLen EncodedText
G OrderCancelReplaceRequest:
    OrderID @Parties TradeOriginationDate TradeDate OrigClOrdID! ClOrdID! SecondaryClOrdID ClOrdLinkID ListID
    OrigOrdModTime Account AcctIDSource AccountType DayBookingInst BookingUnit PreallocMethod AllocID
    @PreAllocGrp SettlType SettlDate CashMargin ClearingFeeIndicator HandlInst ExecInst MinQty MaxFloor
    ExDestination @TrdgSesGrp @Instrument! @FinancingDetails @UndInstrmtGrp Side! TransactTime! QtyType
    @OrderQtyData! OrdType! PriceType Price StopPx @SpreadOrBenchmarkCurveData @YieldData @PegInstructions
    @DiscretionInstructions TargetStrategy TargetStrategyParameters ParticipationRate ComplianceID SolicitedFlag
    Currency TimeInForce EffectiveTime ExpireDate ExpireTime GTBookingInst @CommissionData OrderCapacity
    OrderRestrictions CustOrderCapacity ForexReq SettlCurrency BookingType Text EncodedTextLen EncodedText
    SettlDate2 OrderQty2 Price2 PositionEffect CoveredOrUncovered MaxShow LocateReqd CancellationRights
    MoneyLaunderingStatus RegistID Designation
H OrderStatusRequest:
    OrderID ClOrdID! SecondaryClOrdID ClOrdLinkID @Parties OrdStatusReqID Account AcctIDSource @Instrument!
    @FinancingDetails @UndInstrmtGrp Side!
j BusinessMessageReject:
    RefSeqNum RefMsgType! BusinessRejectRefID BusinessRejectReason! Text EncodedTextLen EncodedText
c SecurityDefinitionRequest:
    SecurityReqID! SecurityRequestType! @Instrument @InstrumentExtension @UndInstrmtGrp Currency Text
    EncodedTextLen EncodedText TradingSessionID TradingSessionSubID @InstrmtLegGrp ExpirationCycle
    SubscriptionRequestType
d SecurityDefinition:
    SecurityReqID! SecurityResponseID! SecurityResponseType! @Instrument @InstrumentExtension @UndInstrmtGrp
    Currency TradingSessionID TradingSessionSubID Text EncodedTextLen EncodedText @InstrmtLegGrp ExpirationCycle
    RoundLot MinTradeVol
AE TradeCaptureReport:
    TradeReportID! TradeReportTransType TradeReportType TradeRequestID TrdType TrdSubType SecondaryTrdType
    TransferReason ExecType TotNumTradeReports LastRptRequested UnsolicitedIndicator SubscriptionRequestType
    TradeReportRefID SecondaryTradeReportRefID SecondaryTradeReportID TradeLinkID TrdMatchID ExecID OrdStatus
    SecondaryExecID ExecRestatementReason PreviouslyReported! PriceType @Instrument! @FinancingDetails
    @OrderQtyData QtyType @YieldData @UndInstrmtGrp UnderlyingTradingSessionID UnderlyingTradingSessionSubID
    LastQty! LastPx! LastParPx LastSpotRate LastForwardPoints LastMkt TradeDate! ClearingBusinessDate AvgPx
    @SpreadOrBenchmarkCurveData AvgPxIndicator @PositionAmountData MultiLegReportingType TradeLegRefID
    @TrdInstrmtLegGrp TransactTime! @TrdRegTimestamps SettlType SettlDate MatchStatus MatchType
    @TrdCapRptSideGrp! CopyMsgIndicator PublishTrdIndicator ShortSaleReason
AR TradeCaptureReportAck:
    TradeReportID! TradeReportTransType TradeReportType TrdType TrdSubType SecondaryTrdType TransferReason
    ExecType! TradeReportRefID SecondaryTradeReportRefID TrdRptStatus TradeReportRejectReason
    SecondaryTradeReportID SubscriptionRequestType TradeLinkID TrdMatchID ExecID SecondaryExecID @Instrument!
    TransactTime @TrdRegTimestamps ResponseTransportType ResponseDestination Text EncodedTextLen EncodedText
    @TrdInstrmtLegGrp ClearingFeeIndicator OrderCapacity OrderRestrictions CustOrderCapacity Account
    AcctIDSource AccountType PositionEffect PreallocMethod @TrdAllocGrp
q OrderMassCancelRequest:
    ClOrdID! SecondaryClOrdID MassCancelRequestType! TradingSessionID TradingSessionSubID @Instrument
    @UnderlyingInstrument Side TransactTime! Text EncodedTextLen EncodedText
r OrderMassCancelReport:
    ClOrdID SecondaryClOrdID OrderID! SecondaryOrderID MassCancelRequestType! MassCancelResponse!
    MassCancelRejectReason TotalAffectedOrders @AffectedOrdGrp TradingSessionID TradingSessionSubID @Instrument
    @UnderlyingInstrument Side TransactTime Text EncodedTextLen EncodedText
"""

TYPES = """
    0 1 2 3 4 5 6 7 8 9 A B C D E F G H J K L M N P Q R S T V W X Y Z a b c d e f g h i j k l m n o p q r s t u
    v w x y z AA AB AC AD AE AF AG AH AI AJ AK AL AM AN AO AP AQ AR AS AT AU AV AW AX AY AZ BA BB BC BD BE BF BG
    BH
"""
"""Every MsgType that the version has: those without a declaration above are known, and not supported."""
