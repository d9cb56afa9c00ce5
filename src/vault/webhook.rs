//! Signed messages between programs, by the Standard Webhooks specification 1.0: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A message that is older or newer than this, in seconds, is not taken.
pub const TOLERANCE_S: i64 = 300;

/// What both sides know.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) [u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// A header is missing or cannot be read.
    #[error("webhook-id, webhook-timestamp and webhook-signature are needed")]
    Malformed,
    /// Its time is too far from now.
    #[error("its timestamp is more than {TOLERANCE_S} seconds from now")]
    TooFar,
    /// No signature is of this secret and this body.
    #[error("its signature is not right")]
    NotSigned,
}

impl Secret {
    /// As it is shown once: `whsec_` and base64.
    pub fn shown(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }

    /// The signature of a message, at a moment in seconds of the epoch.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(id, &timestamp.to_string(), body).finalize().into_bytes()))
    }

    /// Checks a message that came with these headers at `now`. The time that a comparison takes says nothing about the secret.
    pub fn check(&self, id: &str, timestamp: &str, signatures: &str, body: &[u8], now: i64) -> Result<(), NotTaken> {
        let at: i64 = timestamp.parse().map_err(|_| NotTaken::Malformed)?;
        if id.is_empty() || signatures.is_empty() {
            return Err(NotTaken::Malformed);
        }
        if now.checked_sub(at).is_none_or(|distance| distance.unsigned_abs() > TOLERANCE_S.unsigned_abs()) {
            return Err(NotTaken::TooFar);
        }
        let signatures = signatures.split(' ').filter_map(|one| one.strip_prefix("v1,"));
        let mut decoded = signatures.filter_map(|one| STANDARD.decode(one).ok());
        if decoded.any(|tag| self.mac(id, timestamp, body).verify_slice(&tag).is_ok()) {
            return Ok(());
        }
        Err(NotTaken::NotSigned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_example_of_the_specification_is_signed_alike() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret).expect("any length");
        mac.update(br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#);
        assert_eq!(STANDARD.encode(mac.finalize().into_bytes()), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_message_is_taken_only_as_it_was_signed_and_soon() {
        let secret = Secret([7; 32]);
        let now = 1_800_000_000;
        let signature = secret.sign("m1", now, b"{}");
        let check =
            |id: &str, at: i64, signature: &str, body: &[u8]| secret.check(id, &at.to_string(), signature, body, now);
        assert_eq!(check("m1", now, &signature, b"{}"), Ok(()));
        assert_eq!(check("m1", now, &format!("v1,AAAA v2,x {signature}"), b"{}"), Ok(()));
        assert_eq!(check("m2", now, &signature, b"{}"), Err(NotTaken::NotSigned));
        assert_eq!(check("m1", now, &signature, b"{ }"), Err(NotTaken::NotSigned));
        assert_eq!(check("m1", now - 1, &signature, b"{}"), Err(NotTaken::NotSigned));
        assert_eq!(Secret([8; 32]).check("m1", &now.to_string(), &signature, b"{}", now), Err(NotTaken::NotSigned));
        for (at, taken) in [(now - 300, true), (now - 301, false), (now + 300, true), (now + 301, false)] {
            let signature = secret.sign("m1", at, b"{}");
            assert_eq!(check("m1", at, &signature, b"{}").is_ok(), taken, "{at}");
        }
        assert_eq!(check("m1", i64::MIN, &signature, b"{}"), Err(NotTaken::TooFar));
        assert_eq!(secret.check("m1", "soon", &signature, b"{}", now), Err(NotTaken::Malformed));
    }
}
