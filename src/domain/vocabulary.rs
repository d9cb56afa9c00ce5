//! The closed lists of words that entries carry. A word outside its list is refused; words for people are in the labels.

use std::fmt;

/// A word that its list does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[error("“{text}” is not a {list}; the words are {words}")]
pub struct NotAWord {
    /// The text as given, cut short.
    pub text: String,
    /// Name of the list.
    pub list: &'static str,
    /// All words of the list.
    pub words: String,
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $list:ident, $name:literal { $($(#[$word_doc:meta])* $word:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $list {
            $($(#[$word_doc])* $word),+
        }

        impl $list {
            /// Every word, in the order in which reports list them.
            pub const ALL: &[Self] = &[$(Self::$word),+];

            /// The word as entries carry it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $code),+
                }
            }

            /// Reads the word; refuses any other.
            pub fn parse(text: &str) -> Result<Self, NotAWord> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| NotAWord {
                    text: text.chars().take(40).collect(),
                    list: $name,
                    words: Self::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }

        impl fmt::Display for $list {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $list {
            type Err = NotAWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}

vocabulary!(
    /// What kind of need a case answers; decides what may be published of it (masking rules, `category`).
    Category, "case category" {
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
    }
);
vocabulary!(
    /// By which way a gift came.
    Source, "gift source" {
        /// A designated online fundraising platform.
        Platform = "platform",
        /// A firm or other organisation.
        Enterprise = "enterprise",
        /// A collection box of a village or community.
        VillageCash = "village_cash",
        /// Members asked directly (定向募捐).
        Members = "members",
        /// WeChat Pay, straight to the charity.
        Wechat = "wechat",
        /// Alipay, straight to the charity.
        Alipay = "alipay",
        /// Bank transfer of a person.
        Bank = "bank",
        /// A person, any other way.
        Individual = "individual",
        /// Anything else.
        Other = "other",
    }
);
vocabulary!(
    /// What money of a case was spent on.
    Use, "use" {
        /// Hospital bills and deposits.
        Hospital = "hospital",
        /// Food during treatment.
        Nutrition = "nutrition",
        /// Drugs bought outside the hospital.
        Drugs = "drugs",
        /// Lodging and travel of those who accompany.
        LodgingTravel = "lodging_travel",
        /// Rehabilitation and aids.
        Rehabilitation = "rehabilitation",
        /// Funeral.
        Funeral = "funeral",
        /// School costs.
        Education = "education",
        /// Daily living.
        Living = "living",
        /// Repair or rent of a home.
        Housing = "housing",
        /// Anything else.
        Other = "other",
    }
);
vocabulary!(
    /// Who was paid, by class: the name of a payee can identify a beneficiary.
    PayeeClass, "payee class" {
        /// A hospital.
        Hospital = "hospital",
        /// A parent or other guardian.
        Guardian = "guardian",
        /// A pharmacy.
        Pharmacy = "pharmacy",
        /// A shop.
        Shop = "shop",
        /// A school.
        School = "school",
        /// Another person.
        Person = "person",
        /// Another organisation.
        Organisation = "organisation",
        /// Anyone else.
        Other = "other",
    }
);
vocabulary!(
    /// Why an entry was corrected, by class: the free text stays inside.
    ReasonClass, "reason class" {
        /// Recorded twice.
        Duplicate = "duplicate",
        /// The amount was wrong.
        WrongAmount = "wrong_amount",
        /// The fund was wrong.
        WrongFund = "wrong_fund",
        /// The payee gave money back.
        ReturnedByPayee = "returned_by_payee",
        /// Anything else.
        Other = "other",
    }
);
vocabulary!(
    /// What allows a surplus to go where it goes. 慈善法 第五十八条, in this order.
    Basis, "basis of a surplus" {
        /// The filed fundraising plan says so.
        Plan = "plan",
        /// The donation agreement says so.
        Agreement = "agreement",
        /// A project with the same or a similar purpose.
        SimilarPurpose = "similar_purpose",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_and_no_other_does() {
        macro_rules! check {
            ($($list:ident),+) => { $(
                for word in $list::ALL {
                    assert_eq!($list::parse(word.as_str()).expect("a word of the list"), *word);
                }
                assert!($list::parse("Hospital").is_err() && $list::parse("").is_err());
            )+ };
        }
        check!(Category, Source, Use, PayeeClass, ReasonClass, Basis);
        assert_eq!(
            Basis::parse("whim").expect_err("not a word").to_string(),
            "“whim” is not a basis of a surplus; the words are plan, agreement, similar_purpose"
        );
    }
}
