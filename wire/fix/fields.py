"""The fields of the messages that we speak: name, tag and type, by version.

``FIELDS_44`` is FIX 4.4. The others say what 4.2 and 5.0 SP2 (with FIXT 1.1) have that 4.4 does not, and what has another
type there. A line that ends in a colon names the type of the fields below it.
"""

FIELDS_44 = """
AMT:
    Commission=12 NetMoney=118 SettlCurrAmt=119 MiscFeeAmt=137 AccruedInterestAmt=159 TotalTakedown=237
    Concession=238 GrossTradeAmt=381 PosAmt=708 InterestAtMaturity=738 UnderlyingStartValue=884
    UnderlyingCurrentValue=885 UnderlyingEndValue=886 EndAccruedInterestAmt=920 StartCash=921 EndCash=922
BOOLEAN:
    PossDupFlag=43 PossResend=97 ReportToExch=113 LocateReqd=114 ForexReq=121 GapFillFlag=123
    ResetSeqNumFlag=141 TradedFlatSwitch=258 UnsolicitedIndicator=325 SolicitedFlag=377 TestMessageIndicator=464
    PreviouslyReported=570 OddLot=575 WorkingIndicator=636 CopyMsgIndicator=797 PublishTrdIndicator=852
    LastRptRequested=912
CHAR:
    CommType=13 HandlInst=21 LastCapacity=29 OrdStatus=39 OrdType=40 Side=54 TimeInForce=59 SettlType=63
    PositionEffect=77 ProcessCode=81 ExecType=150 SettlCurrFxRateCalc=156 OptAttribute=206
    SubscriptionRequestType=263 UnderlyingOptAttribute=317 MsgDirection=385 DiscretionInst=388
    CxlRejResponseTo=434 MultiLegReportingType=442 PartyIDSource=447 RoundingDirection=468
    CancellationRights=480 MoneyLaunderingStatus=481 ExecPriceType=484 FundRenewWaiv=497 NestedPartyIDSource=525
    OrderCapacity=528 MassCancelRequestType=530 MassCancelResponse=531 CashMargin=544 LegPositionEffect=564
    MatchStatus=573 LegSettlType=587 DayBookingInst=589 BookingUnit=590 PreallocMethod=591 LegOptAttribute=613
    LegSide=624 Nested2PartyIDSource=758
COUNTRY:
    CountryOfIssue=470 UnderlyingCountryOfIssue=592 LegCountryOfIssue=596
CURRENCY:
    Currency=15 SettlCurrency=120 MiscFeeCurr=138 BenchmarkCurveCurrency=220 UnderlyingCurrency=318
    CommCurrency=479 ContAmtCurr=521 LegCurrency=556 AllocSettlCurrency=736 AgreementCurrency=918
    UnderlyingStrikeCurrency=941 LegStrikeCurrency=942 StrikeCurrency=947
DATA:
    Signature=89 SecureData=91 RawData=96 XmlData=213 EncodedIssuer=349 EncodedSecurityDesc=351 EncodedText=355
    EncodedUnderlyingIssuer=363 EncodedUnderlyingSecurityDesc=365 EncodedLegIssuer=619
    EncodedLegSecurityDesc=622
EXCHANGE:
    LastMkt=30 ExDestination=100 SecurityExchange=207 UnderlyingSecurityExchange=308 LegSecurityExchange=616
FLOAT:
    SettlCurrFxRate=155 PegOffsetValue=211 Factor=228 ContractMultiplier=231 UnderlyingFactor=246 LegFactor=253
    DiscretionOffsetValue=389 UnderlyingContractMultiplier=436 RoundingModulus=469 ExecPriceAdjustment=485
    ContAmtValue=520 LegContractMultiplier=614 LegRatioQty=623 TargetStrategyPerformance=850
INT:
    EncryptMethod=98 CxlRejReason=102 OrdRejReason=103 HeartBtInt=108 NumDaysInterest=157 PutOrCall=201
    CoveredOrUncovered=203 RepurchaseTerm=226 UnderlyingRepurchaseTerm=244 LegRepurchaseTerm=251
    UnderlyingPutOrCall=315 SecurityRequestType=321 SecurityResponseType=323 RefTagID=371
    SessionRejectReason=373 ExecRestatementReason=378 BusinessRejectReason=380 PriceType=423 GTBookingInst=427
    PartyRole=452 Product=460 UnderlyingProduct=462 TradeReportTransType=487 ContAmtType=519
    TotalAffectedOrders=533 NestedPartyRole=538 CrossType=549 LegCoveredOrUncovered=565 ClearingInstruction=577
    AccountType=581 CustOrderCapacity=582 LegProduct=607 PriorityIndicator=638 AcctIDSource=660
    AllocAcctIDSource=661 BenchmarkPriceType=663 DeliveryForm=668 LegSwapType=690 YieldRedemptionPriceType=698
    ResponseTransportType=725 TotNumTradeReports=748 TradeReportRejectReason=751 SideMultiLegReportingType=752
    Nested2PartyRole=759 TrdRegTimestampType=770 BookingType=775 TerminationType=788 PartySubIDType=803
    NestedPartySubIDType=805 Nested2PartySubIDType=807 AvgPxIndicator=819 TradeAllocIndicator=826
    ExpirationCycle=827 TrdType=828 TrdSubType=829 PegMoveType=835 PegOffsetType=836 PegLimitType=837
    PegRoundDirection=838 PegScope=840 DiscretionMoveType=841 DiscretionOffsetType=842 DiscretionLimitType=843
    DiscretionRoundDirection=844 DiscretionScope=846 TargetStrategy=847 LastLiquidityInd=851 ShortSaleReason=853
    QtyType=854 SecondaryTrdType=855 TradeReportType=856 EventType=865 InstrAttribType=871 CPProgram=875
    MiscFeeBasis=891 TotNumReports=911 DeliveryType=919 TrdRptStatus=939
LENGTH:
    BodyLength=9 SecureDataLen=90 SignatureLength=93 RawDataLength=95 XmlDataLen=212 EncodedIssuerLen=348
    EncodedSecurityDescLen=350 EncodedTextLen=354 EncodedUnderlyingIssuerLen=362
    EncodedUnderlyingSecurityDescLen=364 MaxMessageSize=383 EncodedLegIssuerLen=618
    EncodedLegSecurityDescLen=621
LOCALMKTDATE:
    SettlDate=64 TradeDate=75 SettlDate2=193 CouponPaymentDate=224 IssueDate=225 TradeOriginationDate=229
    ExDate=230 RedemptionDate=240 UnderlyingCouponPaymentDate=241 UnderlyingIssueDate=242
    UnderlyingRedemptionDate=247 LegCouponPaymentDate=248 LegIssueDate=249 LegRedemptionDate=254
    BasisFeatureDate=259 ExpireDate=432 MaturityDate=541 UnderlyingMaturityDate=542 LegSettlDate=588
    LegMaturityDate=611 YieldRedemptionDate=696 YieldCalcDate=701 ClearingBusinessDate=715 LegDatedDate=739
    EventDate=866 DatedDate=873 InterestAccrualDate=874 AgreementDate=915 StartDate=916 EndDate=917
    LegInterestAccrualDate=956
MONTHYEAR:
    MaturityMonthYear=200 UnderlyingMaturityMonthYear=313 LegMaturityMonthYear=610 ContractSettlMonth=667
    LegContractSettlMonth=955
MULTIPLEVALUESTRING:
    ExecInst=18 OrderRestrictions=529
NUMINGROUP:
    NoAllocs=78 NoMiscFees=136 NoStipulations=232 NoContraBrokers=382 NoMsgTypes=384 NoTradingSessions=386
    NoPartyIDs=453 NoSecurityAltID=454 NoUnderlyingSecurityAltID=457 NoContAmts=518 NoAffectedOrders=534
    NoNestedPartyIDs=539 NoSides=552 NoLegs=555 NoClearingInstructions=576 NoLegSecurityAltID=604 NoHops=627
    NoLegStipulations=683 NoUnderlyings=711 NoPosAmt=753 NoNested2PartyIDs=756 NoTrdRegTimestamps=768
    NoPartySubIDs=802 NoNestedPartySubIDs=804 NoNested2PartySubIDs=806 NoEvents=864 NoInstrAttrib=870
    NoUnderlyingStips=887
PERCENTAGE:
    AccruedInterestRate=158 CouponRate=223 RepurchaseRate=227 Yield=236 UnderlyingRepurchaseRate=245
    LegRepurchaseRate=252 UnderlyingCouponRate=435 OrderPercent=516 LegCouponRate=615 ParticipationRate=849
    PctAtRisk=869 MarginRatio=898
PRICE:
    AvgPx=6 LastPx=31 Price=44 StopPx=99 PrevClosePx=140 LastSpotRate=194 StrikePrice=202 BasisFeaturePrice=260
    UnderlyingStrikePrice=316 DayAvgPx=426 LegPrice=566 LegStrikePrice=612 LegLastPx=637 Price2=640
    UnderlyingLastPx=651 BenchmarkPrice=662 LastParPx=669 YieldRedemptionPrice=697 UnderlyingPx=810
    PeggedPrice=839 DiscretionPrice=845 EventPx=867 UnderlyingDirtyPrice=882 UnderlyingEndPrice=883
PRICEOFFSET:
    LastForwardPoints=195 Spread=218 PriceImprovement=639 LastForwardPoints2=641
QTY:
    CumQty=14 LastQty=32 OrderQty=38 AllocQty=80 MinQty=110 MaxFloor=111 LeavesQty=151 CashOrderQty=152
    OrderQty2=192 MaxShow=210 DayOrderQty=424 DayCumQty=425 ContraTradeQty=437 RoundLot=561 MinTradeVol=562
    UnderlyingLastQty=652 LegQty=687 UnderlyingQty=879
SEQNUM:
    BeginSeqNo=7 EndSeqNo=16 MsgSeqNum=34 NewSeqNo=36 RefSeqNum=45 LastMsgSeqNumProcessed=369 HopRefID=630
    NextExpectedMsgSeqNum=789
STRING:
    Account=1 BeginString=8 CheckSum=10 ClOrdID=11 ExecID=17 ExecRefID=19 SecurityIDSource=22 IOIID=23
    MsgType=35 OrderID=37 OrigClOrdID=41 SecurityID=48 SenderCompID=49 SenderSubID=50 Symbol=55 TargetCompID=56
    TargetSubID=57 Text=58 SymbolSfx=65 ListID=66 AllocID=70 AllocAccount=79 Issuer=106 SecurityDesc=107
    TestReqID=112 OnBehalfOfCompID=115 OnBehalfOfSubID=116 QuoteID=117 DeliverToCompID=128 DeliverToSubID=129
    MiscFeeType=139 SenderLocationID=142 TargetLocationID=143 OnBehalfOfLocationID=144 DeliverToLocationID=145
    SecurityType=167 SecondaryOrderID=198 BenchmarkCurveName=221 BenchmarkCurvePoint=222 StipulationType=233
    StipulationValue=234 YieldType=235 RepoCollateralSecurityType=239 UnderlyingRepoCollateralSecurityType=243
    LegRepoCollateralSecurityType=250 CreditRating=255 UnderlyingCreditRating=256 LegCreditRating=257
    UnderlyingSecurityIDSource=305 UnderlyingIssuer=306 UnderlyingSecurityDesc=307 UnderlyingSecurityID=309
    UnderlyingSecurityType=310 UnderlyingSymbol=311 UnderlyingSymbolSfx=312 SecurityReqID=320
    SecurityResponseID=322 TradingSessionID=336 ContraTrader=337 MessageEncoding=347 RefMsgType=372
    ContraBroker=375 ComplianceID=376 BusinessRejectRefID=379 PartyID=448 SecurityAltID=455
    SecurityAltIDSource=456 UnderlyingSecurityAltID=458 UnderlyingSecurityAltIDSource=459 CFICode=461
    UnderlyingCFICode=463 IndividualAllocID=467 StateOrProvinceOfIssue=471 LocaleOfIssue=472 Designation=494
    RegistID=513 PartySubID=523 NestedPartyID=524 SecondaryClOrdID=526 SecondaryExecID=527
    MassCancelRejectReason=532 AffectedOrderID=535 AffectedSecondaryOrderID=536 InstrRegistry=543
    NestedPartySubID=545 CrossID=548 OrigCrossID=551 Username=553 Password=554 TradeRequestID=568
    TradeReportID=571 TradeReportRefID=572 MatchType=574 TradeInputSource=578 TradeInputDevice=579
    ClOrdLinkID=583 MassStatusReqID=584 UnderlyingStateOrProvinceOfIssue=593 UnderlyingLocaleOfIssue=594
    UnderlyingInstrRegistry=595 LegStateOrProvinceOfIssue=597 LegLocaleOfIssue=598 LegInstrRegistry=599
    LegSymbol=600 LegSymbolSfx=601 LegSecurityID=602 LegSecurityIDSource=603 LegSecurityAltID=605
    LegSecurityAltIDSource=606 LegCFICode=608 LegSecurityType=609 LegIssuer=617 LegSecurityDesc=620
    TradingSessionSubID=625 HopCompID=628 ClearingFeeIndicator=635 LegRefID=654 ContraLegRefID=655
    LegStipulationType=688 LegStipulationValue=689 Pool=691 QuoteRespID=693 BenchmarkSecurityID=699
    PosAmtType=707 ResponseDestination=726 LegPool=740 Nested2PartyID=757 Nested2PartySubID=760
    BenchmarkSecurityIDSource=761 SecuritySubType=762 UnderlyingSecuritySubType=763 LegSecuritySubType=764
    TrdRegTimestampOrigin=771 OrdStatusReqID=790 SecondaryTradeReportID=818 TradeLinkID=820 OrderInputDevice=821
    UnderlyingTradingSessionID=822 UnderlyingTradingSessionSubID=823 TradeLegRefID=824 ExchangeRule=825
    TransferReason=830 TargetStrategyParameters=848 EventText=868 InstrAttribValue=872 CPRegType=876
    UnderlyingCPProgram=877 UnderlyingCPRegType=878 TrdMatchID=880 SecondaryTradeReportRefID=881
    UnderlyingStipType=888 UnderlyingStipValue=889 AgreementDesc=913 AgreementID=914 TimeBracket=943
UTCTIMESTAMP:
    SendingTime=52 TransactTime=60 OrigSendingTime=122 ExpireTime=126 EffectiveTime=168 ContraTradeTime=438
    TransBkdTime=483 ExecValuationPoint=515 OrigOrdModTime=586 HopSendingTime=629 TrdRegTimestamp=769
"""

FIELDS_42 = """
CHAR:
    ExecTransType=20 Rule80A=47 SettlmntTyp=63 OpenClose=77
DAYOFMONTH:
    MaturityDay=205 UnderlyingMaturityDay=314
FLOAT:
    CouponRate=223 UnderlyingCouponRate=435
INT:
    BeginSeqNo=7 BodyLength=9 EndSeqNo=16 MsgSeqNum=34 NewSeqNo=36 RefSeqNum=45 NoAllocs=78 NoRelatedSym=146
    CustomerOrFirm=204 LastMsgSeqNumProcessed=369 NoContraBrokers=382 MaxMessageSize=383 NoMsgTypes=384
    NoTradingSessions=386 TotalNumSecurities=393
LOCALMKTDATE:
    FutSettDate=64 FutSettDate2=193
PRICEOFFSET:
    PegDifference=211 DiscretionOffset=389
QTY:
    LastShares=32 AllocShares=80 RatioQty=319
STRING:
    IDSource=22 IOIid=23 ExecBroker=76 ClientID=109 UnderlyingIDSource=305 ClearingFirm=439 ClearingAccount=440
UTCTIMESTAMP:
    OnBehalfOfSendingTime=370
"""

FIELDS_50 = """
AMT:
    UnderlyingCashAmount=973 UnderlyingCapValue=1038 SideGrossTradeAmt=1072 LegGrossTradeAmt=1075
    MinPriceIncrementAmount=1146 OptPayoutAmount=1195
BOOLEAN:
    LastFragment=893 ManualOrderIndicator=1028 CustDirectedOrder=1029 AggressorIndicator=1057
    PreTradeAnonymity=1091 ReportedPxDiff=1134 FlexProductEligibilityIndicator=1242 FlexibleIndicator=1244
    ApplResendFlag=1352 TrdRepIndicator=1389
CHAR:
    SettlPartyIDSource=783 Nested3PartyIDSource=950 AsOfIndicator=1015 UnderlyingFXRateCalc=1046
    InstrmtAssignmentMethod=1049 InstrumentPartyIDSource=1050 UnderlyingInstrumentPartyIDSource=1060
    RefOrderIDSource=1081 DisplayWhen=1083 DisplayMethod=1084 PriceProtectionScope=1092 LotType=1093
    TriggerType=1100 TriggerAction=1101 TriggerPriceType=1107 TriggerPriceTypeScope=1108
    TriggerPriceDirection=1109 TriggerOrderType=1111 OrderCategory=1115 RootPartyIDSource=1118
    TradeHandlingInstr=1123 OrigTradeHandlingInstr=1124 ExDestinationIDSource=1133 SettlObligSource=1164
    UnderlyingLegOptAttribute=1391 Nested4PartyIDSource=1416
CURRENCY:
    LegSettlCurrency=675 SideCurrency=1154 SideSettlCurrency=1155 TradingCurrency=1245
    LegAllocSettlCurrency=1367
DATA:
    EncodedAllocText=361 EncryptedPassword=1402 EncryptedNewPassword=1404
EXCHANGE:
    MarketID=1301
FLOAT:
    PriceDelta=811 StrikeMultiplier=967 StrikeValue=968 MinPriceIncrement=969 LegOptionRatio=1017
    UnderlyingFXRate=1045 MaxPriceVariation=1143 Volatility=1188 TimeToExpiration=1189 RiskFreeRate=1190
    StrikeIncrement=1204 CommRate=1233 FeeMultiplier=1329 LegVolatility=1379 CurrencyRatio=1382
    LegCurrencyRatio=1383
INT:
    RptSeq=83 StandInstDbType=169 AllocHandlInst=209 MarketDepth=264 NetGrossInd=430 OwnerType=522
    MassCancelRejectReason=532 SecurityRequestResult=560 LegAllocAcctIDSource=674 LegPriceType=686
    PosQtyStatus=706 SettlPartyRole=784 SettlPartySubIDType=786 UnderlyingCPProgram=877 Nested3PartyRole=951
    Nested3PartySubIDType=954 StrategyParameterType=959 SecurityReportID=964 PositionLimit=970
    NTPositionLimit=971 UnderlyingSettlementType=975 AllocMethod=1002 SideTrdSubType=1008
    SideTrdRegTimestampType=1013 MDBookType=1021 OrderHandlingInstSource=1032 DeskTypeSource=1034
    InstrumentPartyRole=1051 InstrumentPartySubIDType=1054 UnderlyingInstrumentPartyRole=1061
    UnderlyingInstrumentPartySubIDType=1064 MaxPriceLevels=1090 PegPriceType=1094 RootPartyRole=1119
    RootPartySubIDType=1122 ImpliedMarketIndicator=1144 LegNumber=1152 ApplExtID=1156 MDSubBookType=1173
    ExerciseStyle=1194 ListMethod=1198 TickRuleType=1209 NestedInstrAttribType=1210
    MaturityMonthYearIncrement=1229 MaturityMonthYearIncrementUnits=1302 MaturityMonthYearFormat=1303
    StrikeExerciseStyle=1304 PriceLimitType=1306 UnderlyingLegPutOrCall=1343 LegPutOrCall=1358 TotNoFills=1361
    MultilegModel=1377 MultilegPriceMethod=1378 ContingencyType=1385 TrdRepPartyRole=1388
    TradePublishIndicator=1390 EncryptedPasswordMethod=1400 RefApplExtID=1406 DefaultApplExtID=1407
    SessionStatus=1409 Nested4PartySubIDType=1411 Nested4PartyRole=1417 UnderlyingExerciseStyle=1419
    LegExerciseStyle=1420
LENGTH:
    EncodedAllocTextLen=360 SecurityXMLLen=1184 EncryptedPasswordLen=1401 EncryptedNewPasswordLen=1403
LOCALMKTDATE:
    QuantityDate=976 UnderlyingSettlementDate=987 OrigTradeDate=1125 UnderlyingLegMaturityDate=1345
MONTHYEAR:
    EndMaturityMonthYear=1226 StartMaturityMonthYear=1241 UnderlyingLegMaturityMonthYear=1339
MULTIPLECHARVALUE:
    ExecInst=18 CorporateAction=292 OrderRestrictions=529 ExecInstValue=1308 LegExecInst=1384
MULTIPLESTRINGVALUE:
    CustOrderHandlingInst=1031 DeskOrderHandlingInst=1035
NUMINGROUP:
    NoOrders=73 NoLegAllocs=670 NoPositions=702 NoSettlPartyIDs=781 NoSettlPartySubIDs=801 NoNested3PartyIDs=948
    NoNested3PartySubIDs=952 NoStrategyParameters=957 NoSideTrdRegTS=1016 NoInstrumentParties=1018
    NoInstrumentPartySubIDs=1052 NoUndlyInstrumentParties=1058 NoUndlyInstrumentPartySubIDs=1062
    NoRootPartyIDs=1116 NoRootPartySubIDs=1120 NoMDFeedTypes=1141 NoSettlDetails=1158 NoStrikeRules=1201
    NoTickRules=1205 NoExecInstRules=1232 NoLotTypeRules=1234 NoMatchRules=1235 NoMaturityRules=1236
    NoOrdTypeRules=1237 NoTimeInForceRules=1239 NoTradingSessionRules=1309 NoMarketSegments=1310
    NoNestedInstrAttrib=1312 NoUnderlyingLegSecurityAltID=1334 NoOfLegUnderlyings=1342 NoFills=1362
    NoNotAffectedOrders=1370 NoTrdRepIndicators=1387 NoNested4PartySubIDs=1413 NoNested4PartyIDs=1414
PERCENTAGE:
    UnderlyingAllocationPercent=972 DividendYield=1380 LegDividendYield=1381
PRICE:
    MidPx=631 PriorSettlPrice=734 RndPx=991 PeggedRefPrice=1095 TriggerPrice=1102 TriggerNewPrice=1110
    LowLimitPrice=1148 HighLimitPrice=1149 TradingReferencePrice=1150 CapPrice=1199 FloorPrice=1200
    StartStrikePxRange=1202 EndStrikePxRange=1203 StartTickPriceRange=1206 EndTickPriceRange=1207
    TickIncrement=1208 UnderlyingLegStrikePrice=1340 FillPx=1364
PRICEOFFSET:
    LastSwapPoints=1071 LegLastForwardPoints=1073
QTY:
    CxlQty=84 LegAllocQty=673 LegOrderQty=685 LongQty=704 ShortQty=705 SideLastQty=1009
    UnderlyingAdjustedQuantity=1044 CalculatedCcyLastQty=1056 LegCalculatedCcyLastQty=1074
    SecondaryDisplayQty=1082 DisplayLowQty=1085 DisplayHighQty=1086 DisplayMinIncr=1087 RefreshQty=1088
    MatchIncrement=1089 TriggerNewQty=1112 DisplayQty=1138 MaxTradeVol=1140 UnitOfMeasureQty=1147
    PriceUnitOfMeasureQty=1192 LegUnitOfMeasureQty=1224 MinLotSize=1231 FillQty=1365 LegLastQty=1418
    LegPriceUnitOfMeasureQty=1422 UnderlyingUnitOfMeasureQty=1423 UnderlyingPriceUnitOfMeasureQty=1425
SEQNUM:
    ApplSeqNum=1181 ApplLastSeqNum=1350
STRING:
    SettlType=63 AllocText=161 StandInstDbName=170 StandInstDbID=171 MDEntryID=278 LegSettlType=587
    LegAllocAccount=671 LegIndividualAllocID=672 PosType=703 SettlSessID=716 SettlSessSubID=717 SettlPartyID=782
    SettlPartySubID=785 NewPassword=925 Nested3PartyID=949 Nested3PartySubID=953 StrategyParameterName=958
    StrategyParameterValue=960 HostCrossID=961 SecurityStatus=965 SettleOnOpenFlag=966 UnderlyingCashType=974
    SecondaryIndividualAllocID=989 LegReportID=990 AllocCustomerCapacity=993 TierCode=994 UnitOfMeasure=996
    TimeUnit=997 UnderlyingUnitOfMeasure=998 LegUnitOfMeasure=999 UnderlyingTimeUnit=1000 LegTimeUnit=1001
    TradeID=1003 SideTradeReportID=1005 SideFillStationCd=1006 SideReasonCd=1007 MessageEventSource=1011
    SideTrdRegTimestampSrc=1014 InstrumentPartyID=1019 MDFeedType=1022 ReceivedDeptID=1030 DeskType=1033
    UnderlyingSettlMethod=1039 SecondaryTradeID=1040 FirmTradeID=1041 SecondaryFirmTradeID=1042
    InstrumentPartySubID=1053 PositionCurrency=1055 UnderlyingInstrumentPartyID=1059
    UnderlyingInstrumentPartySubID=1063 RefOrderID=1080 PegSecurityIDSource=1096 PegSecurityID=1097
    PegSymbol=1098 PegSecurityDesc=1099 TriggerSymbol=1103 TriggerSecurityID=1104 TriggerSecurityIDSource=1105
    TriggerSecurityDesc=1106 TriggerTradingSessionID=1113 TriggerTradingSessionSubID=1114 RootPartyID=1117
    RootPartySubID=1121 OrigTradeID=1126 OrigSecondaryTradeID=1127 ApplVerID=1128 CstmApplVerID=1129
    RefApplVerID=1130 RefCstmApplVerID=1131 RptSys=1135 AllocClearingFeeIndicator=1136 DefaultApplVerID=1137
    ExchangeSpecialInstructions=1139 MatchAlgorithm=1142 SecurityGroup=1151 QuoteMsgID=1166 ApplID=1180
    SecurityXMLSchema=1186 PriceUnitOfMeasure=1191 SettlMethod=1193 PriceQuoteMethod=1196 ValuationMethod=1197
    NestedInstrAttribValue=1211 MaturityRuleID=1222 StrikeRuleID=1223 ProductComplex=1227 CommUnitOfMeasure=1238
    MarketSegmentID=1300 RejectText=1328 UnderlyingLegSymbol=1330 UnderlyingLegSymbolSfx=1331
    UnderlyingLegSecurityID=1332 UnderlyingLegSecurityIDSource=1333 UnderlyingLegSecurityAltID=1335
    UnderlyingLegSecurityAltIDSource=1336 UnderlyingLegSecurityType=1337 UnderlyingLegSecuritySubType=1338
    UnderlyingLegSecurityExchange=1341 UnderlyingLegCFICode=1344 FillExecID=1363 LegAllocID=1366
    MassActionReportID=1369 NotAffectedOrderID=1371 NotAffOrigClOrdID=1372 UnderlyingLegSecurityDesc=1392
    DefaultCstmApplVerID=1408 Nested4PartySubID=1412 Nested4PartyID=1415 LegPriceUnitOfMeasure=1421
    UnderlyingPriceUnitOfMeasure=1424
TZTIMEONLY:
    MaturityTime=1079 LegMaturityTime=1212 UnderlyingMaturityTime=1213 UnderlyingLegMaturityTime=1405
TZTIMESTAMP:
    TZTransactTime=1132
UTCTIMESTAMP:
    LastUpdateTime=779 SideTrdRegTimestamp=1012 EventTime=1145
XMLDATA:
    SecurityXML=1185
"""
