//! The closed lists of words that stand in bodies as codes. Labels for people are elsewhere.

use std::fmt;

/// The text is none of the words of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{text}” is not a {what}; one of: {allowed}")]
pub struct NotInVocabulary {
    /// The text as given, cut to 60 characters.
    pub text: String,
    /// What it was meant to be.
    pub what: &'static str,
    /// The words there are.
    pub allowed: String,
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $type:ident, $what:literal, $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $type {
            $($(#[$variant_doc])* $variant),+
        }

        impl $type {
            /// All words, in the order in which lists show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in bodies.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// Reads a word.
            pub fn parse(text: &str) -> Result<Self, NotInVocabulary> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(NotInVocabulary {
                        text: text.chars().take(60).collect(),
                        what: $what,
                        allowed: [$($word),+].join(", "),
                    }),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = NotInVocabulary;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}

vocabulary!(
    /// What limits a fund. 基金性质
    FundType, "fund type",
    /// May be spent on any charitable purpose.
    Unrestricted = "unrestricted",
    /// The donors limited its purpose.
    Restricted = "restricted",
    /// Set aside for one case or project.
    Earmarked = "earmarked",
    /// The principal is kept.
    Endowment = "endowment",
    /// Held for a named beneficiary; not income of the charity.
    Agency = "agency",
);
vocabulary!(
    /// What kind of need a case is; decides what may be shown of it.
    Category, "case category",
    /// The beneficiary is under 18.
    Minor = "minor",
    /// Illness or injury.
    Health = "health",
    /// Disability.
    Disability = "disability",
    /// Victim of violence or crime.
    Violence = "violence",
    /// Death and funeral.
    Death = "death",
    /// Disaster.
    Disaster = "disaster",
    /// Financial hardship.
    Poverty = "poverty",
    /// Village public work, no personal beneficiary.
    PublicWork = "public_work",
);
vocabulary!(
    /// Where a gift came from. 来源
    Source, "source",
    /// Designated online fundraising platform.
    Platform = "platform",
    /// Enterprise.
    Enterprise = "enterprise",
    /// Cash box of a village or community.
    VillageCash = "village_cash",
    /// Members of the organisation.
    Members = "members",
    /// WeChat Pay.
    Wechat = "wechat",
    /// Alipay.
    Alipay = "alipay",
    /// Bank transfer.
    Bank = "bank",
    /// A person, in another way.
    Individual = "individual",
    /// Anything else.
    Other = "other",
);
vocabulary!(
    /// What a disbursement is for. 用途
    Use, "use",
    /// Hospital deposit or bill.
    Hospital = "hospital",
    /// Nutrition.
    Nutrition = "nutrition",
    /// Drugs bought outside the hospital.
    Drugs = "drugs",
    /// Lodging and travel of the family.
    LodgingTravel = "lodging_travel",
    /// Rehabilitation and aids.
    Rehabilitation = "rehabilitation",
    /// Funeral.
    Funeral = "funeral",
    /// Schooling.
    Education = "education",
    /// Daily living.
    Living = "living",
    /// Housing and repair.
    Housing = "housing",
    /// Anything else.
    Other = "other",
);
vocabulary!(
    /// Class of a payee; the name is never public where the case is masked. 收款方类别
    PayeeClass, "payee class",
    /// Hospital.
    Hospital = "hospital",
    /// Guardian of the beneficiary.
    Guardian = "guardian",
    /// Pharmacy.
    Pharmacy = "pharmacy",
    /// Shop.
    Shop = "shop",
    /// School.
    School = "school",
    /// The beneficiary or another person.
    Person = "person",
    /// Another organisation.
    Organisation = "organisation",
    /// Anything else.
    Other = "other",
);
vocabulary!(
    /// Why something was corrected, refused or came back. 原因
    ReasonClass, "reason",
    /// Recorded twice.
    Duplicate = "duplicate",
    /// Wrong amount.
    WrongAmount = "wrong_amount",
    /// Wrong fund.
    WrongFund = "wrong_fund",
    /// Sent back by the payee or the bank.
    ReturnedByPayee = "returned_by_payee",
    /// The donor asked for it.
    DonorRequest = "donor_request",
    /// Papers are missing.
    PapersMissing = "papers_missing",
    /// Not within the rules of aid.
    NotEligible = "not_eligible",
    /// Anything else.
    Other = "other",
);
vocabulary!(
    /// On what ground a surplus was moved. 依据
    Basis, "basis",
    /// As the filed plan says.
    Plan = "plan",
    /// As the donation agreement says.
    Agreement = "agreement",
    /// To the same or a similar purpose.
    SimilarPurpose = "similar_purpose",
);
vocabulary!(
    /// Why money moves between funds.
    TransferReason, "reason of a transfer",
    /// Set aside for a case.
    Allocation = "allocation",
    /// What is left after the purpose was met.
    Surplus = "surplus",
    /// Recorded into the wrong fund.
    WrongFund = "wrong_fund",
);
vocabulary!(
    /// What becomes of the channel's fee when a gift goes back.
    FeeOnRefund, "fee rule",
    /// The channel gives its fee back too.
    Returned = "returned",
    /// The channel keeps it; other free money of the fund pays it.
    Kept = "kept",
);
vocabulary!(
    /// What a member of staff may do. 角色
    Role, "role",
    /// Records and requests: the maker.
    Clerk = "clerk",
    /// Approves what somebody else requested.
    Checker = "checker",
    /// Pays what was approved.
    Payer = "payer",
    /// Sets up users, accounts, funds and campaigns.
    Admin = "admin",
    /// Reads everything but personal data.
    Auditor = "auditor",
    /// Reads what supervision needs.
    Regulator = "regulator",
);
