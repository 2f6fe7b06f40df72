"""FIX 5.0 SP2: components and application messages, with the fields up to tag 1426 (later ones came in extension packs).

For the notation see :mod:`wire.fix.dictionary`; header, trailer and session messages are FIXT 1.1's.
"""

COMPONENTS = """
AffectedOrdGrp:
    NoAffectedOrders( AffectedOrderID AffectedSecondaryOrderID )
ApplicationSequenceControl:
    ApplID ApplSeqNum ApplLastSeqNum ApplResendFlag
AttrbGrp:
    NoInstrAttrib( InstrAttribType InstrAttribValue )
BaseTradingRules:
    @TickRules @LotTypeRules @PriceLimits ExpirationCycle MinTradeVol MaxTradeVol MaxPriceVariation
    ImpliedMarketIndicator TradingCurrency RoundLot MultilegModel MultilegPriceMethod PriceType
ClrInstGrp:
    NoClearingInstructions( ClearingInstruction )
CommissionData:
    Commission CommType CommCurrency CommRate CommUnitOfMeasure FundRenewWaiv
ContAmtGrp:
    NoContAmts( ContAmtType ContAmtValue ContAmtCurr )
ContraGrp:
    NoContraBrokers( ContraBroker ContraTrader ContraTradeQty ContraTradeTime ContraLegRefID )
DiscretionInstructions:
    DiscretionInst DiscretionOffsetValue DiscretionMoveType DiscretionOffsetType DiscretionLimitType
    DiscretionRoundDirection DiscretionScope
DisplayInstruction:
    DisplayQty SecondaryDisplayQty DisplayWhen DisplayMethod DisplayLowQty DisplayHighQty DisplayMinIncr
    RefreshQty
EvntGrp:
    NoEvents( EventType EventDate EventTime EventPx EventText )
ExecInstRules:
    NoExecInstRules( ExecInstValue )
FillsGrp:
    NoFills( FillExecID FillPx FillQty @NestedParties4 )
FinancingDetails:
    AgreementDesc AgreementID AgreementDate AgreementCurrency TerminationType StartDate EndDate DeliveryType
    MarginRatio
InstrmtLegExecGrp:
    NoLegs( @InstrumentLeg LegOrderQty LegQty LegSwapType @LegStipulations LegAllocID @LegPreAllocGrp
    LegPositionEffect LegCoveredOrUncovered @NestedParties3 LegRefID LegSettlType LegSettlDate LegLastPx
    LegSettlCurrency LegLastForwardPoints LegCalculatedCcyLastQty LegGrossTradeAmt LegVolatility
    LegDividendYield LegCurrencyRatio LegExecInst LegLastQty )
InstrmtLegGrp:
    NoLegs( @InstrumentLeg )
Instrument:
    Symbol SymbolSfx SecurityID SecurityIDSource @SecAltIDGrp Product ProductComplex SecurityGroup CFICode
    SecurityType SecuritySubType MaturityMonthYear MaturityDate MaturityTime SettleOnOpenFlag
    InstrmtAssignmentMethod SecurityStatus CouponPaymentDate IssueDate RepoCollateralSecurityType RepurchaseTerm
    RepurchaseRate Factor CreditRating InstrRegistry CountryOfIssue StateOrProvinceOfIssue LocaleOfIssue
    RedemptionDate StrikePrice StrikeCurrency StrikeMultiplier StrikeValue OptAttribute ContractMultiplier
    MinPriceIncrement MinPriceIncrementAmount UnitOfMeasure UnitOfMeasureQty PriceUnitOfMeasure
    PriceUnitOfMeasureQty SettlMethod ExerciseStyle OptPayoutAmount PriceQuoteMethod ValuationMethod ListMethod
    CapPrice FloorPrice PutOrCall FlexibleIndicator FlexProductEligibilityIndicator TimeUnit CouponRate
    SecurityExchange PositionLimit NTPositionLimit Issuer EncodedIssuerLen EncodedIssuer SecurityDesc
    EncodedSecurityDescLen EncodedSecurityDesc @SecurityXML Pool ContractSettlMonth CPProgram CPRegType @EvntGrp
    DatedDate InterestAccrualDate @InstrumentParties
InstrumentExtension:
    DeliveryForm PctAtRisk @AttrbGrp
InstrumentLeg:
    LegSymbol LegSymbolSfx LegSecurityID LegSecurityIDSource @LegSecAltIDGrp LegProduct LegCFICode
    LegSecurityType LegSecuritySubType LegMaturityMonthYear LegMaturityDate LegMaturityTime LegCouponPaymentDate
    LegIssueDate LegRepoCollateralSecurityType LegRepurchaseTerm LegRepurchaseRate LegFactor LegCreditRating
    LegInstrRegistry LegCountryOfIssue LegStateOrProvinceOfIssue LegLocaleOfIssue LegRedemptionDate
    LegStrikePrice LegStrikeCurrency LegOptAttribute LegContractMultiplier LegUnitOfMeasure LegUnitOfMeasureQty
    LegPriceUnitOfMeasure LegPriceUnitOfMeasureQty LegTimeUnit LegExerciseStyle LegCouponRate
    LegSecurityExchange LegIssuer EncodedLegIssuerLen EncodedLegIssuer LegSecurityDesc EncodedLegSecurityDescLen
    EncodedLegSecurityDesc LegRatioQty LegSide LegCurrency LegPool LegDatedDate LegContractSettlMonth
    LegInterestAccrualDate LegPutOrCall LegOptionRatio LegPrice
InstrumentParties:
    NoInstrumentParties( InstrumentPartyID InstrumentPartyIDSource InstrumentPartyRole @InstrumentPtysSubGrp )
InstrumentPtysSubGrp:
    NoInstrumentPartySubIDs( InstrumentPartySubID InstrumentPartySubIDType )
LegPreAllocGrp:
    NoLegAllocs( LegAllocAccount LegIndividualAllocID @NestedParties2 LegAllocQty LegAllocAcctIDSource
    LegAllocSettlCurrency )
LegSecAltIDGrp:
    NoLegSecurityAltID( LegSecurityAltID LegSecurityAltIDSource )
LegStipulations:
    NoLegStipulations( LegStipulationType LegStipulationValue )
LotTypeRules:
    NoLotTypeRules( LotType MinLotSize )
MarketDataFeedTypes:
    NoMDFeedTypes( MDFeedType MarketDepth MDBookType MDSubBookType )
MarketSegmentGrp:
    NoMarketSegments( MarketID MarketSegmentID @SecurityTradingRules @StrikeRules )
MatchRules:
    NoMatchRules( MatchAlgorithm MatchType )
MaturityRules:
    NoMaturityRules( MaturityRuleID MaturityMonthYearFormat MaturityMonthYearIncrementUnits
    StartMaturityMonthYear EndMaturityMonthYear MaturityMonthYearIncrement )
MiscFeesGrp:
    NoMiscFees( MiscFeeAmt MiscFeeCurr MiscFeeType MiscFeeBasis )
NestedInstrumentAttribute:
    NoNestedInstrAttrib( NestedInstrAttribType NestedInstrAttribValue )
NestedParties:
    NoNestedPartyIDs( NestedPartyID NestedPartyIDSource NestedPartyRole @NstdPtysSubGrp )
NestedParties2:
    NoNested2PartyIDs( Nested2PartyID Nested2PartyIDSource Nested2PartyRole @NstdPtys2SubGrp )
NestedParties3:
    NoNested3PartyIDs( Nested3PartyID Nested3PartyIDSource Nested3PartyRole @NstdPtys3SubGrp )
NestedParties4:
    NoNested4PartyIDs( Nested4PartyID Nested4PartyIDSource Nested4PartyRole @NstdPtys4SubGrp )
NotAffectedOrdGrp:
    NoNotAffectedOrders( NotAffOrigClOrdID NotAffectedOrderID )
NstdPtys2SubGrp:
    NoNested2PartySubIDs( Nested2PartySubID Nested2PartySubIDType )
NstdPtys3SubGrp:
    NoNested3PartySubIDs( Nested3PartySubID Nested3PartySubIDType )
NstdPtys4SubGrp:
    NoNested4PartySubIDs( Nested4PartySubID Nested4PartySubIDType )
NstdPtysSubGrp:
    NoNestedPartySubIDs( NestedPartySubID NestedPartySubIDType )
OrdTypeRules:
    NoOrdTypeRules( OrdType )
OrderQtyData:
    OrderQty CashOrderQty OrderPercent RoundingDirection RoundingModulus
Parties:
    NoPartyIDs( PartyID PartyIDSource PartyRole @PtysSubGrp )
PegInstructions:
    PegOffsetValue PegPriceType PegMoveType PegOffsetType PegLimitType PegRoundDirection PegScope
    PegSecurityIDSource PegSecurityID PegSymbol PegSecurityDesc
PositionAmountData:
    NoPosAmt( PosAmtType PosAmt PositionCurrency )
PreAllocGrp:
    NoAllocs( AllocAccount AllocAcctIDSource AllocSettlCurrency IndividualAllocID @NestedParties AllocHandlInst
    AllocQty )
PriceLimits:
    PriceLimitType LowLimitPrice HighLimitPrice TradingReferencePrice
PtysSubGrp:
    NoPartySubIDs( PartySubID PartySubIDType )
RootParties:
    NoRootPartyIDs( RootPartyID RootPartyIDSource RootPartyRole @RootSubParties )
RootSubParties:
    NoRootPartySubIDs( RootPartySubID RootPartySubIDType )
SecAltIDGrp:
    NoSecurityAltID( SecurityAltID SecurityAltIDSource )
SecurityTradingRules:
    @BaseTradingRules @TradingSessionRulesGrp @NestedInstrumentAttribute
SecurityXML:
    SecurityXMLLen SecurityXML SecurityXMLSchema
SettlDetails:
    NoSettlDetails( SettlObligSource StandInstDbType StandInstDbName StandInstDbID @SettlParties )
SettlParties:
    NoSettlPartyIDs( SettlPartyID SettlPartyIDSource SettlPartyRole @SettlPtysSubGrp )
SettlPtysSubGrp:
    NoSettlPartySubIDs( SettlPartySubID SettlPartySubIDType )
SideTrdRegTS:
    NoSideTrdRegTS( SideTrdRegTimestamp SideTrdRegTimestampType SideTrdRegTimestampSrc )
SpreadOrBenchmarkCurveData:
    Spread BenchmarkCurveCurrency BenchmarkCurveName BenchmarkCurvePoint BenchmarkPrice BenchmarkPriceType
    BenchmarkSecurityID BenchmarkSecurityIDSource
Stipulations:
    NoStipulations( StipulationType StipulationValue )
StrategyParametersGrp:
    NoStrategyParameters( StrategyParameterName StrategyParameterType StrategyParameterValue )
StrikeRules:
    NoStrikeRules( StrikeRuleID StartStrikePxRange EndStrikePxRange StrikeIncrement StrikeExerciseStyle
    @MaturityRules )
TickRules:
    NoTickRules( StartTickPriceRange EndTickPriceRange TickIncrement TickRuleType )
TimeInForceRules:
    NoTimeInForceRules( TimeInForce )
TradeCapLegUnderlyingsGrp:
    NoOfLegUnderlyings( @UnderlyingLegInstrument )
TradePositionQty:
    NoPositions( PosType LongQty ShortQty PosQtyStatus QuantityDate )
TradeReportOrderDetail:
    OrderID SecondaryOrderID ClOrdID SecondaryClOrdID ListID RefOrderID RefOrderIDSource PreTradeAnonymity
    OrdType Price StopPx ExecInst OrdStatus @OrderQtyData LeavesQty CumQty TimeInForce ExpireTime
    @DisplayInstruction OrderCapacity OrderRestrictions BookingType OrderInputDevice LotType TransBkdTime
    OrigOrdModTime
TradingSessionRules:
    @OrdTypeRules @TimeInForceRules @ExecInstRules @MatchRules @MarketDataFeedTypes
TradingSessionRulesGrp:
    NoTradingSessionRules( TradingSessionID TradingSessionSubID @TradingSessionRules )
TrdAllocGrp:
    NoAllocs( AllocAccount AllocAcctIDSource AllocSettlCurrency IndividualAllocID @NestedParties2 AllocHandlInst
    AllocQty AllocCustomerCapacity AllocMethod SecondaryIndividualAllocID AllocClearingFeeIndicator AllocText
    EncodedAllocTextLen EncodedAllocText )
TrdCapRptAckSideGrp:
    NoSides( Side! @Parties Account AcctIDSource AccountType ProcessCode OddLot @ClrInstGrp TradeInputSource
    TradeInputDevice ComplianceID SolicitedFlag CustOrderCapacity TradingSessionID TradingSessionSubID
    TimeBracket NetGrossInd SideCurrency SideSettlCurrency @CommissionData NumDaysInterest ExDate
    AccruedInterestRate AccruedInterestAmt InterestAtMaturity EndAccruedInterestAmt StartCash EndCash Concession
    TotalTakedown NetMoney SettlCurrAmt SettlCurrFxRate SettlCurrFxRateCalc PositionEffect
    SideMultiLegReportingType @ContAmtGrp @Stipulations @MiscFeesGrp ExchangeRule @SettlDetails
    TradeAllocIndicator PreallocMethod AllocID @TrdAllocGrp SideGrossTradeAmt AggressorIndicator SideLastQty
    SideTradeReportID SideFillStationCd SideReasonCd RptSeq SideTrdSubType OrderCategory @TradeReportOrderDetail
    @SideTrdRegTS CustOrderHandlingInst OrderHandlingInstSource )
TrdCapRptSideGrp:
    NoSides( Side! SideLastQty SideTradeReportID SideFillStationCd SideReasonCd RptSeq SideTrdSubType
    NetGrossInd SideCurrency SideSettlCurrency @Parties Account AcctIDSource AccountType OwnerType ProcessCode
    OddLot @ClrInstGrp ClearingFeeIndicator TradeInputSource TradeInputDevice ComplianceID SolicitedFlag
    CustOrderCapacity TradingSessionID TradingSessionSubID TimeBracket @CommissionData NumDaysInterest ExDate
    AccruedInterestRate AccruedInterestAmt InterestAtMaturity EndAccruedInterestAmt StartCash EndCash Concession
    TotalTakedown NetMoney SettlCurrAmt SettlCurrFxRate SettlCurrFxRateCalc PositionEffect Text EncodedTextLen
    EncodedText SideMultiLegReportingType @ContAmtGrp @Stipulations @MiscFeesGrp ExchangeRule
    TradeAllocIndicator PreallocMethod AllocID @TrdAllocGrp @SideTrdRegTS @SettlDetails SideGrossTradeAmt
    AggressorIndicator ExchangeSpecialInstructions OrderCategory @TradeReportOrderDetail CustOrderHandlingInst
    OrderHandlingInstSource @TradePositionQty LastCapacity )
TrdInstrmtLegGrp:
    NoLegs( @InstrumentLeg LegOrderQty LegQty LegSwapType LegReportID LegNumber @LegStipulations
    LegPositionEffect LegCoveredOrUncovered @NestedParties LegRefID LegSettlType LegSettlDate LegLastPx
    LegPriceType LegSettlCurrency LegLastForwardPoints LegCalculatedCcyLastQty LegGrossTradeAmt LegVolatility
    LegDividendYield LegCurrencyRatio LegExecInst LegLastQty @TradeCapLegUnderlyingsGrp )
TrdRegTimestamps:
    NoTrdRegTimestamps( TrdRegTimestamp TrdRegTimestampType TrdRegTimestampOrigin DeskType DeskTypeSource
    DeskOrderHandlingInst )
TrdRepIndicatorsGrp:
    NoTrdRepIndicators( TrdRepPartyRole TrdRepIndicator )
TrdgSesGrp:
    NoTradingSessions( TradingSessionID TradingSessionSubID )
TriggeringInstruction:
    TriggerType TriggerAction TriggerPrice TriggerSymbol TriggerSecurityID TriggerSecurityIDSource
    TriggerSecurityDesc TriggerPriceType TriggerPriceTypeScope TriggerPriceDirection TriggerNewPrice
    TriggerOrderType TriggerNewQty TriggerTradingSessionID TriggerTradingSessionSubID
UndInstrmtGrp:
    NoUnderlyings( @UnderlyingInstrument )
UndSecAltIDGrp:
    NoUnderlyingSecurityAltID( UnderlyingSecurityAltID UnderlyingSecurityAltIDSource )
UnderlyingInstrument:
    UnderlyingSymbol UnderlyingSymbolSfx UnderlyingSecurityID UnderlyingSecurityIDSource @UndSecAltIDGrp
    UnderlyingProduct UnderlyingCFICode UnderlyingSecurityType UnderlyingSecuritySubType
    UnderlyingMaturityMonthYear UnderlyingMaturityDate UnderlyingMaturityTime UnderlyingCouponPaymentDate
    UnderlyingIssueDate UnderlyingRepoCollateralSecurityType UnderlyingRepurchaseTerm UnderlyingRepurchaseRate
    UnderlyingFactor UnderlyingCreditRating UnderlyingInstrRegistry UnderlyingCountryOfIssue
    UnderlyingStateOrProvinceOfIssue UnderlyingLocaleOfIssue UnderlyingRedemptionDate UnderlyingStrikePrice
    UnderlyingStrikeCurrency UnderlyingOptAttribute UnderlyingContractMultiplier UnderlyingUnitOfMeasure
    UnderlyingUnitOfMeasureQty UnderlyingPriceUnitOfMeasure UnderlyingPriceUnitOfMeasureQty UnderlyingTimeUnit
    UnderlyingExerciseStyle UnderlyingCouponRate UnderlyingSecurityExchange UnderlyingIssuer
    EncodedUnderlyingIssuerLen EncodedUnderlyingIssuer UnderlyingSecurityDesc EncodedUnderlyingSecurityDescLen
    EncodedUnderlyingSecurityDesc UnderlyingCPProgram UnderlyingCPRegType UnderlyingAllocationPercent
    UnderlyingCurrency UnderlyingQty UnderlyingSettlementType UnderlyingCashAmount UnderlyingCashType
    UnderlyingPx UnderlyingDirtyPrice UnderlyingEndPrice UnderlyingStartValue UnderlyingCurrentValue
    UnderlyingEndValue @UnderlyingStipulations UnderlyingAdjustedQuantity UnderlyingFXRate UnderlyingFXRateCalc
    UnderlyingCapValue @UndlyInstrumentParties UnderlyingSettlMethod UnderlyingPutOrCall
UnderlyingLegInstrument:
    UnderlyingLegSymbol UnderlyingLegSymbolSfx UnderlyingLegSecurityID UnderlyingLegSecurityIDSource
    @UnderlyingLegSecurityAltIDGrp UnderlyingLegCFICode UnderlyingLegSecurityType UnderlyingLegSecuritySubType
    UnderlyingLegMaturityMonthYear UnderlyingLegMaturityDate UnderlyingLegMaturityTime UnderlyingLegStrikePrice
    UnderlyingLegOptAttribute UnderlyingLegPutOrCall UnderlyingLegSecurityExchange UnderlyingLegSecurityDesc
UnderlyingLegSecurityAltIDGrp:
    NoUnderlyingLegSecurityAltID( UnderlyingLegSecurityAltID UnderlyingLegSecurityAltIDSource )
UnderlyingStipulations:
    NoUnderlyingStips( UnderlyingStipType UnderlyingStipValue )
UndlyInstrumentParties:
    NoUndlyInstrumentParties( UnderlyingInstrumentPartyID UnderlyingInstrumentPartyIDSource
    UnderlyingInstrumentPartyRole @UndlyInstrumentPtysSubGrp )
UndlyInstrumentPtysSubGrp:
    NoUndlyInstrumentPartySubIDs( UnderlyingInstrumentPartySubID UnderlyingInstrumentPartySubIDType )
YieldData:
    YieldType Yield YieldCalcDate YieldRedemptionDate YieldRedemptionPrice YieldRedemptionPriceType
"""

MESSAGES = """
8 ExecutionReport:
    @ApplicationSequenceControl OrderID! SecondaryOrderID SecondaryClOrdID SecondaryExecID ClOrdID QuoteMsgID
    OrigClOrdID ClOrdLinkID MDEntryID QuoteRespID OrdStatusReqID MassStatusReqID HostCrossID TotNumReports
    LastRptRequested @Parties TradeOriginationDate @ContraGrp ListID CrossID OrigCrossID CrossType TrdMatchID
    ExecID! ExecRefID ExecType! OrdStatus! WorkingIndicator OrdRejReason RejectText ExecRestatementReason
    TrdType TrdSubType SecondaryTrdType PreviouslyReported Account AcctIDSource AccountType DayBookingInst
    BookingUnit PreallocMethod AllocID @PreAllocGrp SettlType SettlDate MatchType OrderCategory CashMargin
    ClearingFeeIndicator @Instrument! @FinancingDetails @UndInstrmtGrp Side! @Stipulations QtyType @OrderQtyData
    LotType OrdType PriceType Price PriceProtectionScope StopPx @TriggeringInstruction @PegInstructions
    @DiscretionInstructions PeggedPrice PeggedRefPrice DiscretionPrice TargetStrategy @StrategyParametersGrp
    TargetStrategyParameters ParticipationRate TargetStrategyPerformance Currency ComplianceID SolicitedFlag
    TimeInForce EffectiveTime ExpireDate ExpireTime ExecInst AggressorIndicator OrderCapacity OrderRestrictions
    PreTradeAnonymity TradePublishIndicator CustOrderCapacity LastQty CalculatedCcyLastQty LastSwapPoints
    UnderlyingLastQty LastPx UnderlyingLastPx LastParPx MidPx LastSpotRate LastForwardPoints LastMkt
    MarketSegmentID ExDestination ExDestinationIDSource TradingSessionID TradingSessionSubID TimeBracket
    LastCapacity LeavesQty! CumQty! CxlQty AvgPx DayOrderQty DayCumQty DayAvgPx TotNoFills LastFragment
    @FillsGrp GTBookingInst TradeDate TransactTime ReportToExch @CommissionData @SpreadOrBenchmarkCurveData
    @YieldData GrossTradeAmt NumDaysInterest ExDate AccruedInterestRate AccruedInterestAmt InterestAtMaturity
    EndAccruedInterestAmt StartCash EndCash TradedFlatSwitch BasisFeatureDate BasisFeaturePrice Concession
    TotalTakedown NetMoney SettlCurrAmt SettlCurrency SettlCurrFxRate SettlCurrFxRateCalc HandlInst MinQty
    MatchIncrement MaxPriceLevels @DisplayInstruction MaxFloor PositionEffect MaxShow BookingType Text
    EncodedTextLen EncodedText SettlDate2 OrderQty2 LastForwardPoints2 MultiLegReportingType ContingencyType
    CancellationRights MoneyLaunderingStatus RegistID Designation TransBkdTime ExecValuationPoint ExecPriceType
    ExecPriceAdjustment PriorityIndicator PriceImprovement LastLiquidityInd @ContAmtGrp @InstrmtLegExecGrp
    CopyMsgIndicator @MiscFeesGrp DividendYield ManualOrderIndicator CustDirectedOrder ReceivedDeptID
    CustOrderHandlingInst OrderHandlingInstSource OwnerType @TrdRegTimestamps Volatility TimeToExpiration
    RiskFreeRate PriceDelta RefOrderID RefOrderIDSource
9 OrderCancelReject:
    OrderID! SecondaryOrderID SecondaryClOrdID ClOrdID! ClOrdLinkID OrigClOrdID OrdStatus! WorkingIndicator
    OrigOrdModTime ListID Account AcctIDSource AccountType TradeOriginationDate TradeDate TransactTime
    CxlRejResponseTo! CxlRejReason RejectText ExDestination ExDestinationIDSource @Parties Text EncodedTextLen
    EncodedText
D NewOrderSingle:
    ClOrdID! SecondaryClOrdID ClOrdLinkID @Parties TradeOriginationDate TradeDate Account AcctIDSource
    AccountType DayBookingInst BookingUnit PreallocMethod AllocID @PreAllocGrp SettlType SettlDate CashMargin
    ClearingFeeIndicator HandlInst ExecInst MinQty MatchIncrement MaxPriceLevels @DisplayInstruction MaxFloor
    MarketSegmentID ExDestination ExDestinationIDSource @TrdgSesGrp ProcessCode @Instrument! @FinancingDetails
    @UndInstrmtGrp PrevClosePx Side! LocateReqd TransactTime! @Stipulations QtyType @OrderQtyData! OrdType!
    PriceType Price PriceProtectionScope StopPx @TriggeringInstruction @SpreadOrBenchmarkCurveData @YieldData
    Currency ComplianceID SolicitedFlag CopyMsgIndicator IOIID QuoteID TimeInForce EffectiveTime ExpireDate
    ExpireTime GTBookingInst @CommissionData OrderCapacity OrderRestrictions PreTradeAnonymity
    TradePublishIndicator CustOrderCapacity ForexReq SettlCurrency BookingType Text EncodedTextLen EncodedText
    SettlDate2 OrderQty2 Price2 PositionEffect CoveredOrUncovered MaxShow @PegInstructions
    @DiscretionInstructions TargetStrategy @StrategyParametersGrp TargetStrategyParameters ParticipationRate
    CancellationRights MoneyLaunderingStatus RegistID Designation ManualOrderIndicator CustDirectedOrder
    ReceivedDeptID CustOrderHandlingInst OrderHandlingInstSource OwnerType @TrdRegTimestamps RefOrderID
    RefOrderIDSource
F OrderCancelRequest:
    OrigClOrdID OrderID ClOrdID! SecondaryClOrdID ClOrdLinkID ListID OrigOrdModTime Account AcctIDSource
    AccountType @Parties @Instrument! @FinancingDetails @UndInstrmtGrp MarketSegmentID ExDestination
    ExDestinationIDSource Side! TransactTime! @OrderQtyData ComplianceID Text EncodedTextLen EncodedText
G OrderCancelReplaceRequest:
    OrderID @Parties TradeOriginationDate TradeDate OrigClOrdID ClOrdID! SecondaryClOrdID ClOrdLinkID ListID
    OrigOrdModTime Account AcctIDSource AccountType DayBookingInst BookingUnit PreallocMethod AllocID
    @PreAllocGrp SettlType SettlDate CashMargin ClearingFeeIndicator HandlInst ExecInst MinQty MatchIncrement
    MaxPriceLevels @DisplayInstruction MaxFloor MarketSegmentID ExDestination ExDestinationIDSource @TrdgSesGrp
    @Instrument! @FinancingDetails @UndInstrmtGrp Side! TransactTime! @Stipulations QtyType @OrderQtyData!
    OrdType! PriceType Price PriceProtectionScope StopPx @TriggeringInstruction @SpreadOrBenchmarkCurveData
    @YieldData @PegInstructions @DiscretionInstructions TargetStrategy @StrategyParametersGrp
    TargetStrategyParameters ParticipationRate ComplianceID SolicitedFlag Currency TimeInForce EffectiveTime
    ExpireDate ExpireTime GTBookingInst @CommissionData OrderCapacity OrderRestrictions PreTradeAnonymity
    TradePublishIndicator CustOrderCapacity ForexReq SettlCurrency BookingType Text EncodedTextLen EncodedText
    SettlDate2 OrderQty2 Price2 PositionEffect CoveredOrUncovered MaxShow LocateReqd CancellationRights
    MoneyLaunderingStatus RegistID Designation ManualOrderIndicator CustDirectedOrder ReceivedDeptID
    CustOrderHandlingInst OrderHandlingInstSource OwnerType @TrdRegTimestamps
H OrderStatusRequest:
    OrderID ClOrdID SecondaryClOrdID ClOrdLinkID @Parties OrdStatusReqID Account AcctIDSource @Instrument!
    @FinancingDetails @UndInstrmtGrp MarketSegmentID Side!
j BusinessMessageReject:
    RefSeqNum RefMsgType! RefApplVerID RefApplExtID RefCstmApplVerID BusinessRejectRefID BusinessRejectReason!
    Text EncodedTextLen EncodedText
c SecurityDefinitionRequest:
    SecurityReqID! SecurityRequestType! MarketID MarketSegmentID @Instrument @InstrumentExtension
    @FinancingDetails @UndInstrmtGrp Currency ComplianceID Text EncodedTextLen EncodedText TradingSessionID
    TradingSessionSubID @Stipulations @InstrmtLegGrp @SpreadOrBenchmarkCurveData @YieldData ExpirationCycle
    SubscriptionRequestType
d SecurityDefinition:
    @ApplicationSequenceControl SecurityReportID ClearingBusinessDate SecurityReqID SecurityResponseID
    SecurityResponseType SecurityRequestResult CorporateAction @Instrument @InstrumentExtension
    @FinancingDetails @UndInstrmtGrp Currency PriorSettlPrice Text EncodedTextLen EncodedText @Stipulations
    @InstrmtLegGrp @SpreadOrBenchmarkCurveData @YieldData @MarketSegmentGrp LastUpdateTime TransactTime
AE TradeCaptureReport:
    @ApplicationSequenceControl TradeReportID TradeID SecondaryTradeID FirmTradeID SecondaryFirmTradeID
    TradeReportTransType TradeReportType TrdRptStatus TradeRequestID TrdType TrdSubType SecondaryTrdType
    TradeHandlingInstr OrigTradeHandlingInstr OrigTradeDate OrigTradeID OrigSecondaryTradeID TransferReason
    ExecType TotNumTradeReports LastRptRequested ManualOrderIndicator UnsolicitedIndicator
    SubscriptionRequestType TradeReportRefID SecondaryTradeReportRefID SecondaryTradeReportID TradeLinkID
    TrdMatchID ExecID ExecRefID SecondaryExecID ExecRestatementReason PreviouslyReported PriceType CrossType
    @RootParties AsOfIndicator SettlSessID SettlSessSubID MarketSegmentID MarketID @Instrument!
    @InstrumentExtension @FinancingDetails QtyType @YieldData @UndInstrmtGrp UnderlyingTradingSessionID
    UnderlyingTradingSessionSubID LastQty LastPx MidPx CalculatedCcyLastQty Currency SettlCurrency LastParPx
    LastSpotRate LastForwardPoints LastSwapPoints LastMkt TradeDate ClearingBusinessDate AvgPx
    @SpreadOrBenchmarkCurveData AvgPxIndicator @PositionAmountData MultiLegReportingType TradeLegRefID
    @TrdInstrmtLegGrp TransactTime @TrdRegTimestamps SettlType SettlDate UnderlyingSettlementDate MatchStatus
    MatchType @TrdCapRptSideGrp! Volatility TimeToExpiration DividendYield RiskFreeRate PriceDelta CurrencyRatio
    CopyMsgIndicator @TrdRepIndicatorsGrp PublishTrdIndicator TradePublishIndicator ShortSaleReason TierCode
    MessageEventSource LastUpdateTime RndPx TZTransactTime ReportedPxDiff GrossTradeAmt TradeReportRejectReason
    RejectText FeeMultiplier
AR TradeCaptureReportAck:
    TradeReportID TradeID SecondaryTradeID FirmTradeID SecondaryFirmTradeID TradeReportTransType TradeReportType
    TrdType TrdSubType SecondaryTrdType TradeHandlingInstr OrigTradeHandlingInstr OrigTradeDate OrigTradeID
    OrigSecondaryTradeID TransferReason @RootParties ExecType TradeReportRefID SecondaryTradeReportRefID
    TrdRptStatus TradeReportRejectReason RejectText SecondaryTradeReportID SubscriptionRequestType TradeLinkID
    TrdMatchID ExecID SecondaryExecID ExecRestatementReason PreviouslyReported PriceType CrossType
    UnderlyingTradingSessionID UnderlyingTradingSessionSubID SettlSessID SettlSessSubID QtyType LastQty LastPx
    MarketSegmentID MarketID @Instrument! @InstrumentExtension @FinancingDetails LastParPx CalculatedCcyLastQty
    LastSwapPoints Currency SettlCurrency LastSpotRate LastForwardPoints LastMkt TradeDate ClearingBusinessDate
    AvgPx AvgPxIndicator MultiLegReportingType TradeLegRefID TransactTime SettlType @UndInstrmtGrp MatchStatus
    MatchType CopyMsgIndicator @TrdRepIndicatorsGrp PublishTrdIndicator TradePublishIndicator ShortSaleReason
    @TrdInstrmtLegGrp @TrdRegTimestamps ResponseTransportType ResponseDestination Text EncodedTextLen
    EncodedText AsOfIndicator ClearingFeeIndicator @PositionAmountData TierCode MessageEventSource
    LastUpdateTime RndPx @TrdCapRptAckSideGrp RptSys GrossTradeAmt SettlDate FeeMultiplier
q OrderMassCancelRequest:
    ClOrdID! SecondaryClOrdID MassCancelRequestType! TradingSessionID TradingSessionSubID @Parties @Instrument
    @UnderlyingInstrument MarketID MarketSegmentID Side TransactTime! Text EncodedTextLen EncodedText
r OrderMassCancelReport:
    ClOrdID SecondaryClOrdID OrderID! MassActionReportID! SecondaryOrderID MassCancelRequestType!
    MassCancelResponse! MassCancelRejectReason TotalAffectedOrders @AffectedOrdGrp @NotAffectedOrdGrp
    TradingSessionID TradingSessionSubID @Parties @Instrument @UnderlyingInstrument MarketID MarketSegmentID
    Side TransactTime Text EncodedTextLen EncodedText
"""

TYPES = """
    6 7 8 9 B C D E F G H J K L M N P Q R S T V W X Y Z a b c d e f g h i j k l m o p q r s t u v w x y z AA AB
    AC AD AE AF AG AH AI AJ AK AL AM AN AO AP AQ AR AS AT AU AV AW AX AY AZ BA BB BC BD BE BF BG BH BI BJ BK BL
    BM BN BO BP BQ BR BS BT BU BV BW BX BY BZ CA CB CC CD CE CF CG CH CI CJ CK CL CM CN CO CQ CR CS CT CU CV CW
    CX CY CZ DA DB DC DD DE DF DG DH DI DJ DK DL DM DN DO DP DQ DR DS DT DU DV DW DX DY DZ EA EB
"""
"""Every MsgType that the version has: those without a declaration above are known, and not supported."""
