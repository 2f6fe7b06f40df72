"""The values that a field may have, where FIX enumerates them, by version.

``VALUES_44`` is FIX 4.4. The others replace what differs in 4.2 and 5.0 SP2; a name without values is free there.
"""

VALUES_44 = """
CommType: 1 2 3 4 5 6
ExecInst: 1 2 3 4 5 6 7 8 9 0 A B C D E F G H I J K L M N O P Q R S U V W X Y Z a b c d e
HandlInst: 1 2 3
SecurityIDSource: 1 2 3 4 5 6 7 8 9 A B C D E F G H I J
LastCapacity: 1 2 3 4
MsgType:
    0 1 2 3 4 5 6 7 8 9 A B C D E F G H J K L M N P Q R S T V W X Y Z a b c d e f g h i j k l m n o p q r s t u
    v w x y z AA AB AC AD AE AF AG AH AI AJ AK AL AM AN AO AP AQ AR AS AT AU AV AW AX AY AZ BA BB BC BD BE BF BG
    BH
OrdStatus: 0 1 2 3 4 6 7 8 9 A B C D E
OrdType: 1 2 3 4 6 7 8 9 D E G I J K L M P
PossDupFlag: Y N
Side: 1 2 3 4 5 6 7 8 9 A B C D E F G
TimeInForce: 0 1 2 3 4 5 6 7
SettlType: 0 1 2 3 4 5 6 7 8 9
PositionEffect: O C R F
ProcessCode: 0 1 2 3 4 5 6
PossResend: Y N
EncryptMethod: 0 1 2 3 4 5 6
CxlRejReason: 0 1 2 3 4 5 6 99
OrdRejReason: 0 1 2 3 4 5 6 7 8 9 10 11 13 14 15 99
ReportToExch: Y N
LocateReqd: Y N
ForexReq: Y N
GapFillFlag: Y N
MiscFeeType: 1 2 3 4 5 6 7 8 9 10 11 12
ResetSeqNumFlag: Y N
ExecType: 0 3 4 5 6 7 8 9 A B C D E F G H I
SettlCurrFxRateCalc: M D
SecurityType:
    EUSUPRA FAC FADN PEF SUPRA CORP CPP CB DUAL EUCORP XLINKD STRUCT YANK FOR CS PS BRADY EUSOV TBOND TINT TIPS
    TCAL TPRN UST USTB TNOTE TBILL REPO FORWARD BUYSELL SECLOAN SECPLEDGE TERM RVLV RVLVTRM BRIDGE LOFC SWING
    DINP DEFLTED WITHDRN REPLACD MATURED AMENDED RETIRED BA BN BOX CD CL CP DN EUCD EUCP LQN MTN ONITE PN PZFJ
    STN TD XCN YCD ABS CMBS CMO IET MBS MIO MPO MPP MPT PFAND TBA AN COFO COFP GO MT RAN REV SPCLA SPCLO SPCLT
    TAN TAXA TECP TRAN VRDN WAR MF MLEG NONE FUT OPT
PutOrCall: 0 1
CoveredOrUncovered: 0 1
StipulationType:
    AMT AUTOREINV BANKQUAL BGNCON COUPON CURRENCY CUSTOMDATE GEOG HAIRCUT INSURED ISSUE ISSUER ISSUESIZE
    LOOKBACK LOT LOTVAR MAT MATURITY MAXSUBS MINQTY MININCR MINDNOM PAYFREQ PIECES PMAX PPM PPL PPT PRICE
    PRICEFREQ PROD PROTECT PURPOSE PXSOURCE RATING REDEMPTION RESTRICTED SECTOR SECTYPE STRUCT SUBSFREQ SUBSLEFT
    TEXT TRDVAR WAC WAL WALA WAM WHOLE YIELD
YieldType:
    AFTERTAX ANNUAL ATISSUE AVGMATURITY BOOK CALL CHANGE CLOSE COMPOUND CURRENT GROSS GOVTEQUIV INFLATION
    INVERSEFLOATER LASTCLOSE LASTMONTH LASTQUARTER LASTYEAR LONGAVGLIFE MARK MATURITY NEXTREFUND OPENAVG PUT
    PREVCLOSE PROCEEDS SEMIANNUAL SHORTAVGLIFE SIMPLE TAXEQUIV TENDER TRUE VALUE1/32 WORST
TradedFlatSwitch: Y N
SubscriptionRequestType: 0 1 2
SecurityRequestType: 0 1 2 3
SecurityResponseType: 1 2 5 6
UnsolicitedIndicator: Y N
MessageEncoding: ISO-2022-JP EUC-JP Shift_JIS UTF-8
SessionRejectReason: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 99
SolicitedFlag: Y N
ExecRestatementReason: 0 1 2 3 4 5 6 7 8 9 10 99
BusinessRejectReason: 0 1 2 3 4 5 6 7
MsgDirection: S R
DiscretionInst: 0 1 2 3 4 5 6
PriceType: 1 2 3 4 5 6 7 8 9 10 11
GTBookingInst: 0 1 2
CxlRejResponseTo: 1 2
MultiLegReportingType: 1 2 3
PartyIDSource: B C D E F G H 1 2 3 4 5 6 7 8 9 A I
PartyRole: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38
Product: 1 2 3 4 5 6 7 8 9 10 11 12 13
TestMessageIndicator: Y N
RoundingDirection: 0 1 2
CancellationRights: Y N M O
MoneyLaunderingStatus: Y N 1 2 3
ExecPriceType: B C D E O P Q S
FundRenewWaiv: Y N
ContAmtType: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
OrderCapacity: A G I P R W
OrderRestrictions: 1 2 3 4 5 6 7 8 9 A
MassCancelRequestType: 1 2 3 4 5 6 7
MassCancelResponse: 0 1 2 3 4 5 6 7
MassCancelRejectReason: 0 1 2 3 4 5 6 99
CashMargin: 1 2 3
CrossType: 1 2 3 4
NoSides: 1 2
PreviouslyReported: Y N
MatchStatus: 0 1 2
MatchType: A1 A2 A3 A4 A5 AQ S1 S2 S3 S4 S5 M1 M2 MT M3 M4 M5 M6
OddLot: Y N
ClearingInstruction: 0 1 2 3 4 5 6 7 8 9 10 11 12 13
AccountType: 1 2 3 4 6 7 8
CustOrderCapacity: 1 2 3 4
DayBookingInst: 0 1 2
BookingUnit: 0 1 2
PreallocMethod: 0 1
ClearingFeeIndicator: B C E F H I L M 1 2 3 4 5 9
WorkingIndicator: Y N
PriorityIndicator: 0 1
AcctIDSource: 1 2 3 4 5 99
DeliveryForm: 1 2
LegSwapType: 1 2 4 5
PosAmtType: FMTM IMTM TVAR SMTM PREM CRES CASH VADJ
ResponseTransportType: 0 1
TradeReportRejectReason: 0 1 2 3 4 99
SideMultiLegReportingType: 1 2 3
TrdRegTimestampType: 1 2 3 4 5
BookingType: 0 1 2
TerminationType: 1 2 3 4
PartySubIDType: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26
AvgPxIndicator: 0 1 2
TradeAllocIndicator: 0 1 2
ExpirationCycle: 0 1
TrdType: 0 1 2 3 4 5 6 7 8 9 10
PegMoveType: 0 1
PegOffsetType: 0 1 2 3
PegLimitType: 0 1 2
PegRoundDirection: 1 2
PegScope: 1 2 3 4
DiscretionMoveType: 0 1
DiscretionOffsetType: 0 1 2 3
DiscretionLimitType: 0 1 2
DiscretionRoundDirection: 1 2
DiscretionScope: 1 2 3 4
TargetStrategy: 1 2 3
LastLiquidityInd: 1 2 3
PublishTrdIndicator: Y N
ShortSaleReason: 0 1 2 3 4 5
QtyType: 0 1
TradeReportType: 0 1 2 3 4 5 6 7
EventType: 1 2 3 4 99
InstrAttribType: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 99
CPProgram: 1 2 99
MiscFeeBasis: 0 1 2
DeliveryType: 0 1 2 3
TrdRptStatus: 0 1
"""

VALUES_42 = """
CommType: 1 2 3
ExecInst: 0 1 2 3 4 5 6 7 8 9 A B C D E F G I L M N O P R S T U V W
ExecTransType: 0 1 2 3
IDSource: 1 2 3 4 5 6 7 8 9
MsgType: 0 1 2 3 4 5 6 7 8 9 A B C D E F G H J K L M N P Q R S T V W X Y Z a b c d e f g h i j k l m
OrdStatus: 0 1 2 3 4 5 6 7 8 9 A B C D E
OrdType: 1 2 3 4 5 6 7 8 9 A B C D E F G H I P
PossDupFlag: N Y
Rule80A: A B C D E F H I J K L M N O P R S T U W X Y Z
Side: 1 2 3 4 5 6 7 8 9
TimeInForce: 0 1 2 3 4 5 6
SettlmntTyp: 0 1 2 3 4 5 6 7 8 9
OpenClose: C O
PossResend: N Y
CxlRejReason: 0 1 2 3
OrdRejReason: 0 1 2 3 4 5 6 7 8
ReportToExch: N Y
LocateReqd: N Y
ForexReq: N Y
GapFillFlag: N Y
ResetSeqNumFlag: N Y
ExecType: 0 1 2 3 4 5 6 7 8 9 A B C D E
SettlCurrFxRateCalc:
SecurityType:
    ? BA CB CD CMO CORP CP CPP CS FHA FHL FN FOR FUT GN GOVT IET MF MIO MPO MPP MPT MUNI NONE OPT PS RP RVRP SL
    TD USTB WAR ZOO
CustomerOrFirm: 0 1
SecurityResponseType: 1 2 3 4 5 6
MessageEncoding: EUC-JP ISO-2022-JP Shift_JIS UTF-8
SessionRejectReason: 0 1 10 11 2 3 4 5 6 7 8 9
SolicitedFlag: N Y
ExecRestatementReason: 0 1 2 3 4 5
BusinessRejectReason: 0 1 2 3 4 5
MsgDirection: R S
DiscretionInst: 0 1 2 3 4 5
"""

VALUES_50 = """
CommType: 1 2 3 4 5 6 7 8
ExecInst:
    0 1 2 3 4 5 6 7 8 9 A B C D E F G H I J K L M N O P Q R S T U V W X Y Z a b c d e f g h i j k l m n o p q r
    s t u v w x y z
SecurityIDSource: 1 2 3 4 5 6 7 8 9 A B C D E F G H I J K L M N P Q R S T U V W X Y
LastCapacity: 1 2 3 4 5
MsgType:
OrdStatus: 0 1 2 3 4 5 6 7 8 9 A B C D E
OrdType: 1 2 3 4 5 6 7 8 9 A B C D E F G H I J K L M P Q R S
PossDupFlag: N Y
Side: 1 2 3 4 5 6 7 8 9 A B C D E F G H
TimeInForce: 0 1 2 3 4 5 6 7 8 9 A B C
SettlType: 0 1 2 3 4 5 6 7 8 9 B C
SymbolSfx: CD WI
PositionEffect: C F O R N D
PossResend: N Y
CxlRejReason: 0 1 2 3 4 5 6 7 8 18 99
OrdRejReason: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 18 19 20 21 22 23 24 25 26 27 28 29 99
ReportToExch: N Y
LocateReqd: N Y
ForexReq: N Y
GapFillFlag: N Y
MiscFeeType: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
ResetSeqNumFlag: N Y
ExecType: 0 3 4 5 6 7 8 9 A B C D E F G H I J K L M N
SecurityType:
    UST USTB EUSUPRA FAC FADN PEF SUPRA CORP CPP CB DUAL EUCORP EUFRN FRN XLINKD STRUCT YANK DIMSUMCORP PRCORP
    FOR FXNDF FXSPOT FXFWD FXSWAP FXNDS FXBN FXDN CAP CDS CLLR CMDTYSWAP EXOTIC OOC FLR FRA FUT FWD IRS TRS
    LOANLEASE OOF OOP OPT SPOTFWD SWAPTION XMISSION INDEX BDBSKT CFD CRLTNSWAP DVDNDSWAP EQBSKT EQFWD RTRNSWAP
    VARSWAP PRTFLIOSWAP FUTSWAP FWDSWAP FWDFRTAGMT SPREADBET ETC CS PS DR REPO FORWARD BUYSELL SECLOAN SECPLEDGE
    DVPLDG COLLBSKT SFP MRGNLOAN BRADY CAN CTB EUSOV PROV TB TBOND TINT TBILL TIPS TCAL TPRN TNOTE DIMSUMSOV SOV
    TFRN TERM RVLV RVLVTRM BRIDGE LOFC SWING DINP DEFLTED WITHDRN REPLACD MATURED AMENDED RETIRED BA BDN BN BOX
    CAMM CD CL CP DN EUCD EUCP LQN MTN ONITE PN STN PZFJ SLQN TD TLQN XCN YCD BAB BNST CLCP CN CPIB EUMTN EUNCP
    EUSTLQN EUTD JCD MMF MN NCD NCP RCD TDR ABS CMB CMBS CMO IET MBS MIO MPO MPP MPT PFAND TBA AN COFO COFP GO
    MT RAN REV SPCLA SPCLO SPCLT TAN TAXA TECP TMCP TRAN VRDN WAR MCPIB TMB VRDO MF MLEG NONE ? CASH Other ETN
    SECDERIV ETF DIGITAL
StandInstDbType: 0 1 2 3 4
PutOrCall: 0 1 2 3
AllocHandlInst: 1 2 3 4
BenchmarkCurveName:
    EONIA EUREPO Euribor FutureSWAP LIBID LIBOR MuniAAA OTHER Pfandbriefe SONIA SWAP Treasury FEDEFF FEDOPEN
    EURIBOR AUBSW BUBOR CDOR CIBOR EONIASWAP ESTR EURODOLLAR EUROSWISS GCFREPO ISDAFIX JIBAR MOSPRIM NIBOR
    PRIBOR SOFR STIBOR TELBOR TIBOR WIBOR AONIA AONIA-R BKBM CD91D CORRA DIRR-TN EIBOR FixingRepoRate HIBOR IBR
    KLIBOR MIBOR NZONIA PHIREF REIBOR SAIBOR SARON SORA TLREF TIIE THBFIX TONAR
StipulationType:
    AMT AUTOREINV BANKQUAL BGNCON COUPON CURRENCY CUSTOMDATE GEOG HAIRCUT INSURED ISSUE ISSUER ISSUESIZE
    LOOKBACK LOT LOTVAR MAT MATURITY MAXSUBS MINDNOM MININCR MINQTY PAYFREQ PIECES PMAX PPL PPM PPT PRICE
    PRICEFREQ PROD PROTECT PURPOSE PXSOURCE RATING REDEMPTION RESTRICTED SECTOR SECTYPE STRUCT SUBSFREQ SUBSLEFT
    TEXT TRDVAR WAC WAL WALA WAM WHOLE YIELD ORIGAMT POOLEFFDT POOLINITFCTR TRANCHE SUBSTITUTION MULTEXCHFLLBCK
    COMPSECFLLBCK LOCLJRSDCTN RELVJRSDCTN INCURRCVY ADDTRM MODEQTYDLVY NOREFOBLIG UNKREFOBLIG ALLGUARANTEES
    REFPX REFPOLICY SECRDLIST AVFICO AVSIZE MAXBAL POOL ROLLTYPE REFTRADE REFPRIN REFINT AVAILQTY BROKERCREDIT
    INTERNALPX INTERNALQTY LEAVEQTY MAXORDQTY ORDRINCR PRIMARY SALESCREDITOVR TRADERCREDIT DISCOUNT YTM PAYOFF
    ABS CPP CPR CPY HEP MHP MPR PPC PSA SMM
YieldType:
    AFTERTAX ANNUAL ATISSUE AVGMATURITY BOOK CALL CHANGE CLOSE COMPOUND CURRENT GOVTEQUIV GROSS INFLATION
    INVERSEFLOATER LASTCLOSE LASTMONTH LASTQUARTER LASTYEAR LONGAVGLIFE MARK MATURITY NEXTREFUND OPENAVG
    PREVCLOSE PROCEEDS PUT SEMIANNUAL SHORTAVGLIFE SIMPLE TAXEQUIV TENDER TRUE VALUE1_32 WORST
TradedFlatSwitch: N Y
CorporateAction: A B C D E F G H I J K L M N O P Q R S T U V W
SecurityRequestType: 0 1 2 3 4 5 6 7 8 9
SecurityResponseType: 1 2 3 4 5 6
UnsolicitedIndicator: N Y
TradingSessionID: 1 2 3 4 5 6 7
MessageEncoding:
SessionRejectReason: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99
SolicitedFlag: N Y
ExecRestatementReason: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 99
BusinessRejectReason: 0 1 2 3 4 5 6 7 8 9 10 18
DiscretionInst: 0 1 2 3 4 5 6 7
PriceType: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25
NetGrossInd: 1 2
PartyIDSource: 6 7 8 9 A J 1 2 3 4 5 I B C D E F G H K L M N O P Q R S T U
PartyRole:
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40
    41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76
    77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 100 101 102 103 104 105 106 107 109 110
    111 112 113 114 115 116 117 118 119 120 121 122 123 124 125 126 127
TestMessageIndicator: N Y
TradeReportTransType: 0 1 2 3 4 5
FundRenewWaiv: N Y
OwnerType: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22
OrderCapacity: A G I P R W M
OrderRestrictions: 1 2 3 4 5 6 7 8 9 A B C D E F G H I
MassCancelRequestType: 1 2 3 4 5 6 7 8 9 A B C
MassCancelResponse: 0 1 2 3 4 5 6 7 8 9 A B C
MassCancelRejectReason: 0 1 2 3 4 5 6 7 8 9 10 11 99
CrossType: 1 2 3 4 5 6 7 8 9
SecurityRequestResult: 0 1 2 3 4 5
PreviouslyReported: N Y
MatchStatus: 0 1 2 3
MatchType: 1 2 3 4 5 6 7 8 9 10 11 M3 M4 M5 M6 A1 A2 A3 A4 A5 AQ S1 S2 S3 S4 S5 M1 M2 MT
OddLot: N Y
ClearingInstruction: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14
AccountType: 1 2 3 4 6 7 8 9 10 11 12 13
CustOrderCapacity: 1 2 3 4 5
TradingSessionSubID: 1 2 3 4 5 6 7 8 9 10 11 12 13
ClearingFeeIndicator: 1 2 3 4 5 9 B C E F H I L M
WorkingIndicator: N Y
AcctIDSource: 1 2 3 4 5 6 99
PosType:
    ALC AS ASF DLV ETR EX FIN IAS IES PA PIT SOD SPL TA TOT TQ TRF TX XM RCV CAA DN EP PNTN DLT CEA SEA NET GRS
    ITD NDAS DAS EXP UNEX REQ CFE SECLN
PosQtyStatus: 0 1 2
PosAmtType:
    CASH CRES FMTM IMTM PREM SMTM TVAR VADJ SETL ICPN ACPN CPN IACPN CMTM ICMTM DLV BANK COLAT LSNV SSNV SACPN
    NPV SNPV NCF PVFEES PV01 5YREN UMTM MTD VMTM VMTD UPFRNT ENDV MGNLN LNVL
SettlSessID: ITD RTH ETH EOD
TradeReportRejectReason: 0 1 2 3 4 5 6 7 99
TrdRegTimestampType:
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34
PartySubIDType:
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
    40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75
    76 77 78 79 80 81 82 83 84 85 86 87
AvgPxIndicator: 0 1 2 3 4
TradeAllocIndicator: 0 1 2 3 4 5 6
ExpirationCycle: 0 1 2
TrdType:
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 22 23 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
    64 65 66 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47
TrdSubType:
    0 1 2 3 4 5 6 7 8 9 10 11 33 34 35 36 40 41 42 43 44 45 46 47 48 50 51 52 53 54 14 15 16 17 18 19 20 21 22
    23 24 25 26 27 28 29 30 31 32 37 38 39
PegOffsetType: 0 1 2 3 4
LastLiquidityInd: 0 1 2 3 4 5 6 7 8 9 10 11
PublishTrdIndicator: N Y
QtyType: 0 1 2
TradeReportType: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18
EventType: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 99
InstrAttribType:
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
    40 41 99
CPProgram: 1 2 3 4 5 6 7 8 99
LastFragment: N Y
LastRptRequested: N Y
DeliveryType: 0 1 2 3 4
TrdRptStatus: 0 1 2 3 4 5 6 7 8 9 10 11
StrategyParameterType: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29
SecurityStatus: 1 2 3 4 5 6 7 8 9 10 11
UnderlyingCashType: FIXED DIFF
UnderlyingSettlementType: 2 4 5
UnitOfMeasure:
    Bcf CBM GJ kHR kWh MHR MMBtu MWh thm tnCO2 MMbbl Alw Bbl BDFT Bu Ccy CDD CER CPD CRT cwt day dt EnvAllwnc
    EnvCrd EnvOfst g Gal GT HDD IPNT kg kL kW-a kW-d kW-h kW-M kW-min L lbs MW-a MW-d MW-h MW-M MW-min oz_tr
    PRINC t tn a ac cL cM DGE ft Gal_gb GGE ha in kM M mi mL mM oz pc pt pt_gb qt qt_gb SqcM Sqft Sqin SqkM SqM
    Sqmi SqmM Sqyd yd USD
TimeUnit: H Min S D Wk Mo Yr Q
AllocMethod: 1 2 3 4
AsOfIndicator: 0 1
MDBookType: 1 2 3
CustOrderHandlingInst:
    A B C D E F H J W X Y Z ADD AON CND CNH CSH DIR DLO E.W FOK IDX IO IOC ISO LOO LOC MAO MAC MOO MOC MPT MQT
    MTL ND NH OPT OVD PEG RSV S.W SCL SLR TMO TS WRK F0 F3 F6 F7 F8 F9 FA FB FC FD FH FI FJ FK FL FM FN FO FP FQ
    FR FS FT FW FX FY FZ Fb Fc Fd Fe G
OrderHandlingInstSource: 1 2
DeskType: A AR B C CR D EC IN IS O PF PR PT S SW T TR FB
DeskTypeSource: 1
UnderlyingFXRateCalc: D M
InstrmtAssignmentMethod: P R
AggressorIndicator: Y N
RefOrderIDSource: 0 1 2 3 4 5 6 7 8 9 A
DisplayWhen: 1 2
DisplayMethod: 1 2 3 4
PriceProtectionScope: 0 1 2 3
LotType: 1 2 3 4
PegPriceType: 1 2 3 4 5 7 8 9 10
TriggerType: 1 2 3 4 5
TriggerAction: 1 2 3
TriggerPriceType: 1 2 3 4 5 6
TriggerPriceTypeScope: 0 1 2 3
TriggerPriceDirection: U D
TriggerOrderType: 1 2
OrderCategory: 1 2 3 4 5 6 7 8 9 A
TradeHandlingInstr: 0 1 2 3 4 5 6 7 8
ApplVerID: 0 1 2 3 4 5 6 7 8 9
ExDestinationIDSource: B C D E G
ImpliedMarketIndicator: 0 1 2 3
SettlObligSource: 1 2 3 4 5
SettlMethod: C P E
ExerciseStyle: 0 1 2 99
PriceQuoteMethod: STD INX INT PCTPAR
ValuationMethod: EQTY FUT FUTDA CDS CDSD
ListMethod: 0 1
TickRuleType: 0 1 2 3 4 5
MaturityMonthYearIncrementUnits: 0 1 2 3
MaturityMonthYearFormat: 0 1 2
PriceLimitType: 0 1 2
MultilegModel: 0 1 2
MultilegPriceMethod: 0 1 2 3 4 5
ContingencyType: 1 2 3 4 5 6
TradePublishIndicator: 0 1 2 3
SessionStatus: 0 1 2 3 4 5 6 7 8
"""
