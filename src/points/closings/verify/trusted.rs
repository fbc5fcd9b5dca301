//! The public keys that the verifier trusts.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

use crate::kernel::security::crypto::from_text;

use super::super::keys::thumbprint;
use super::super::model::ReportKey;

/// Keys by their names.
#[derive(Debug, Default)]
pub struct TrustedKeys {
    keys: BTreeMap<String, ReportKey>,
    /// Whether a key that only the file itself carries is trusted.
    embedded: bool,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<ReportKey>,
}

impl TrustedKeys {
    /// The keys of a saved `report-keys.json`.
    ///
    /// # Errors
    /// What is wrong with the file, in Vietnamese.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let set: KeySet = serde_json::from_str(text).map_err(|e| format!("tệp khóa không đọc được: {e}"))?;
        match set.keys.iter().find(|key| !is_sound(key)) {
            Some(key) => Err(format!("khóa {} trong tệp khóa không khớp với tên của nó", key.kid)),
            None => {
                Ok(Self { keys: set.keys.into_iter().map(|key| (key.kid.clone(), key)).collect(), embedded: false })
            }
        }
    }

    /// Trusts any key that a file carries: proves only that the file is intact, not who made it.
    pub fn embedded() -> Self {
        Self { keys: BTreeMap::new(), embedded: true }
    }

    /// The trusted key of a name, or why there is none. `carried` is the key that the file carries.
    pub fn find<'a>(&'a self, kid: &str, carried: &'a ReportKey) -> Result<&'a ReportKey, String> {
        if self.embedded {
            return if is_sound(carried) && carried.kid == kid {
                Ok(carried)
            } else {
                Err(format!("khóa kèm trong tệp không phải là khóa {kid}"))
            };
        }
        let trusted = self.keys.get(kid).ok_or_else(|| format!("khóa {kid} không có trong các khóa đã công bố"))?;
        if trusted == carried {
            Ok(trusted)
        } else {
            Err(format!("khóa kèm trong tệp khác với khóa {kid} đã công bố"))
        }
    }
}

fn is_sound(key: &ReportKey) -> bool {
    key.kty == "OKP" && key.crv == "Ed25519" && key.kid == thumbprint(&key.x)
}

/// Whether the key made the signature of the canonical text.
pub fn is_signed(key: &ReportKey, canonical: &str, signature: &str) -> bool {
    let (Some(key), Some(signature)) = (from_text(&key.x), from_text(signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(canonical.as_bytes(), &signature).is_ok()
}
