// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! An identity in a small text file, so that it survives the process and can be trusted by name
//! before the process runs:
//!
//! ```text
//! secret <64 hex digits: Ed25519 private key of the latest change>
//! history <hex of the CBOR change history>
//! ```

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use ockam::identity::Identifier;
use ockam::vault::{EdDSACurve25519SecretKey, SigningSecret, SigningSecretKeyHandle};

use crate::peer::Peer;
use crate::Outcome;

pub struct IdentityFile {
    secret: [u8; 32],
    history: Vec<u8>,
}

impl IdentityFile {
    pub async fn load_or_create(path: &str, peer: &Peer) -> Outcome<Identifier> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text)?.import(peer).await,
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(path, peer).await,
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

    async fn import(&self, peer: &Peer) -> Outcome<Identifier> {
        let key = import_key(peer, self.secret).await?;
        let creation = peer.identities().identities_creation();
        Ok(creation
            .import_private_identity(None, &self.history, &key)
            .await?)
    }

    async fn create(path: &str, peer: &Peer) -> Outcome<Identifier> {
        let secret = random_secret()?;
        let key = import_key(peer, secret).await?;
        let creation = peer.identities().identities_creation();
        let builder = creation.identity_builder().with_existing_key(key);
        let identifier = builder.build().await?;

        Self::save(path, peer, &identifier, secret).await?;
        Ok(identifier)
    }

    /// Replace the key of the identity in `path` by a new one: the history grows by a change
    /// that both keys sign, the identifier stays.
    pub async fn rotate(path: &str, peer: &Peer) -> Outcome<Identifier> {
        let identifier = Self::load(path, peer).await?;
        let secret = random_secret()?;
        let key = import_key(peer, secret).await?;
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

async fn import_key(peer: &Peer, secret: [u8; 32]) -> Outcome<SigningSecretKeyHandle> {
    let secret = SigningSecret::EdDSACurve25519(EdDSACurve25519SecretKey::new(secret));
    Ok(peer.signing_vault.import_key(secret).await?)
}

fn random_secret() -> Outcome<[u8; 32]> {
    let mut secret = [0; 32];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut secret))
        .map_err(|e| format!("cannot read /dev/urandom: {e}"))?;
    Ok(secret)
}
