// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! An identity in a small text file, so that it survives the process and can be trusted by name
//! before the process runs:
//!
//! ```text
//! secret <64 hex digits: private key of the latest change>
//! history <hex of the CBOR change history>
//! ```
//!
//! The secret is an Ed25519 seed or a P-256 scalar, as the latest change says.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use ockam::identity::{Identifier, Identity, Vault};
use ockam::vault::{
    ECDSASHA256CurveP256SecretKey, EdDSACurve25519SecretKey, SigningKeyType, SigningSecret,
    SigningSecretKeyHandle, VerifyingPublicKey,
};

use crate::peer::Peer;
use crate::Outcome;

pub struct IdentityFile {
    secret: [u8; 32],
    history: Vec<u8>,
}

impl IdentityFile {
    pub async fn load_or_create(
        path: &str,
        peer: &Peer,
        kind: Option<SigningKeyType>,
    ) -> Outcome<Identifier> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text)?.import(peer).await,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Self::create(path, peer, kind.unwrap_or(SigningKeyType::EdDSACurve25519)).await
            }
            Err(error) => Err(format!("cannot read {path}: {error}").into()),
        }
    }

    /// Load a file that must exist (an authority, say).
    pub async fn load(path: &str, peer: &Peer) -> Outcome<Identifier> {
        let text = fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))?;
        Self::parse(path, &text)?.import(peer).await
    }

    fn parse(path: &str, text: &str) -> Outcome<IdentityFile> {
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
                .and_then(|value| hex::decode(value.trim()).ok())
                .ok_or(format!("{path}: no line \"{name} HEX\""))
        };
        let secret = field("secret")?
            .try_into()
            .map_err(|_| format!("{path}: the secret is not 32 bytes"))?;
        Ok(IdentityFile {
            secret,
            history: field("history")?,
        })
    }

    /// Kind of the key of the latest change.
    async fn kind(&self) -> Outcome<SigningKeyType> {
        let vault = Vault::create_verifying_vault();
        let identity = Identity::import(None, &self.history, vault).await?;
        Ok(match identity.get_latest_public_key()? {
            VerifyingPublicKey::EdDSACurve25519(_) => SigningKeyType::EdDSACurve25519,
            VerifyingPublicKey::ECDSASHA256CurveP256(_) => SigningKeyType::ECDSASHA256CurveP256,
        })
    }

    async fn import(&self, peer: &Peer) -> Outcome<Identifier> {
        let key = import_key(peer, self.secret, self.kind().await?).await?;
        let creation = peer.identities().identities_creation();
        Ok(creation
            .import_private_identity(None, &self.history, &key)
            .await?)
    }

    async fn create(path: &str, peer: &Peer, kind: SigningKeyType) -> Outcome<Identifier> {
        let secret = random_secret()?;
        let key = import_key(peer, secret, kind).await?;
        let creation = peer.identities().identities_creation();
        let builder = creation.identity_builder().with_existing_key(key);
        let identifier = builder.build().await?;

        Self::save(path, peer, &identifier, secret).await?;
        Ok(identifier)
    }

    /// Replace the key of the identity in `path` by a new one, of the same kind unless `kind`
    /// says another: the history grows by a change that both keys sign, the identifier stays.
    pub async fn rotate(
        path: &str,
        peer: &Peer,
        kind: Option<SigningKeyType>,
    ) -> Outcome<Identifier> {
        let text = fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))?;
        let old = Self::parse(path, &text)?;
        let kind = match kind {
            Some(kind) => kind,
            None => old.kind().await?,
        };
        let identifier = old.import(peer).await?;
        let secret = random_secret()?;
        let key = import_key(peer, secret, kind).await?;
        let creation = peer.identities().identities_creation();
        let builder = creation.identity_builder().with_existing_key(key);

        creation
            .rotate_identity_with_options(&identifier, builder.build_options().await?)
            .await?;
        Self::save(path, peer, &identifier, secret).await?;
        Ok(identifier)
    }

    async fn save(
        path: &str,
        peer: &Peer,
        identifier: &Identifier,
        secret: [u8; 32],
    ) -> Outcome<()> {
        let history = peer.identities().export_identity(identifier).await?;
        let text = format!(
            "secret {}\nhistory {}\n",
            hex::encode(secret),
            hex::encode(history)
        );
        // Written beside and renamed, so that a reader never sees half of it.
        let beside = format!("{path}.new");
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&beside, path))
            .map_err(|e| format!("cannot write {path}: {e}").into())
    }
}

async fn import_key(
    peer: &Peer,
    secret: [u8; 32],
    kind: SigningKeyType,
) -> Outcome<SigningSecretKeyHandle> {
    let secret = match kind {
        SigningKeyType::EdDSACurve25519 => {
            SigningSecret::EdDSACurve25519(EdDSACurve25519SecretKey::new(secret))
        }
        // Nearly all strings of 32 bytes are scalars of the curve; the vault refuses the others.
        SigningKeyType::ECDSASHA256CurveP256 => {
            SigningSecret::ECDSASHA256CurveP256(ECDSASHA256CurveP256SecretKey::new(secret))
        }
    };
    Ok(peer.signing_vault.import_key(secret).await?)
}

/// The value of `--key-type`.
pub fn key_type(text: Option<&str>) -> Outcome<Option<SigningKeyType>> {
    match text {
        None => Ok(None),
        Some("ed25519") => Ok(Some(SigningKeyType::EdDSACurve25519)),
        Some("p256") => Ok(Some(SigningKeyType::ECDSASHA256CurveP256)),
        Some(text) => Err(format!("--key-type: \"{text}\" is neither ed25519 nor p256").into()),
    }
}

fn random_secret() -> Outcome<[u8; 32]> {
    let mut secret = [0; 32];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut secret))
        .map_err(|e| format!("cannot read /dev/urandom: {e}"))?;
    Ok(secret)
}
