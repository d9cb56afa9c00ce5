//! What a reader asks of a log beside that it holds: that its key is the one they know, that it goes on from a checkpoint that they kept,
//! and that enough witnesses have seen it.

use crate::ledger::checkpoint::VerifiedCheckpoint;
use crate::ledger::note::VerifierKey;
use crate::ledger::policy::Policy;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The log's key, where the reader has it from elsewhere.
    pub vkey: Option<VerifierKey>,
    /// Keys and witnesses.
    pub policy: Option<Policy>,
    /// An earlier checkpoint: the log must still begin with it.
    pub since: Option<Vec<u8>>,
}

/// Who has seen a log, as far as a policy names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// The size of the checkpoint that was looked at.
    pub at: u64,
    /// Witnesses that cosigned it, and when, in seconds since 1970.
    pub seen: Vec<(String, u64)>,
    /// The smallest size that as many as are asked for have cosigned, of the checkpoints at hand.
    pub from: Option<u64>,
    /// Why that is not what the policy asks for.
    pub fault: Option<String>,
}

impl Asked {
    /// The key that is known of the log whose checkpoint begins with this origin; where a policy names one log only, that one's.
    pub fn key_of(&self, origin: &str) -> Option<&VerifierKey> {
        let of_policy = self.policy.as_ref().and_then(|policy| {
            let known = policy.logs.iter().find(|(key, _)| key.name() == origin);
            known.or(policy.logs.first()).map(|(key, _)| key)
        });
        self.vkey.as_ref().or(of_policy)
    }

    /// Whether witnesses are asked for, and enough of them have signed a checkpoint.
    pub fn is_witnessed(&self, checkpoint: &VerifiedCheckpoint) -> bool {
        self.policy.as_ref().is_some_and(|policy| {
            let is_met = policy.cosigned(checkpoint.note()).is_ok_and(|seen| policy.is_met_by(&seen));
            policy.asks_for_witnesses() && is_met
        })
    }

    /// Looks for the cosignatures that are asked for.
    pub fn witnessed<'c>(
        &self,
        newest: &'c VerifiedCheckpoint,
        earlier: impl Iterator<Item = &'c VerifiedCheckpoint>,
    ) -> Witnessed {
        let Some(policy) = &self.policy else { return Witnessed::default() };
        let at = newest.checkpoint().size;
        let seen = match policy.cosigned(newest.note()) {
            Ok(seen) => seen,
            Err(error) => return Witnessed { at, fault: Some(error.to_string()), ..Witnessed::default() },
        };
        let met = earlier.chain([newest]).filter(|checkpoint| self.is_witnessed(checkpoint));
        let from = met.map(|checkpoint| checkpoint.checkpoint().size).min();
        let count = seen.len();
        let too_few = || format!("its checkpoint was cosigned by {count} witnesses, fewer than the policy asks for");
        let fault = (!policy.is_met_by(&seen)).then(too_few);
        Witnessed { at, seen, from, fault }
    }
}
