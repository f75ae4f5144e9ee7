// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! The node itself: one in-memory database, one TCP transport, one identity, and the options
//! every subcommand shares (`COMMON`).

use std::sync::Arc;
use std::time::Duration;

use ockam::identity::trust_policy::{SecureChannelTrustInfo, TrustPolicy};
use ockam::identity::{
    Identifier, Identities, SecureChannelListenerOptions, SecureChannelOptions,
    SecureChannelRegistryEntry, SecureChannelSqlxDatabase, SecureChannels, Vault,
};
use ockam::tcp::TcpTransport;
use ockam::vault::storage::SecretsSqlxDatabase;
use ockam::vault::SoftwareVaultForSigning;
use ockam::{Context, SqlxDatabase, TryClone};

use crate::args::{Args, Known};
use crate::credential::Presenter;
use crate::identity_file::{key_type, IdentityFile};
use crate::{events, say, Outcome};

pub const COMMON: Known = Known {
    with_value: &[
        "identity-file",
        "key-type",
        "trust",
        "authority",
        "credential",
        "issue-from",
        "attribute",
        "credential-ttl",
        "timeout",
        "log",
    ],
    switches: &["print-identifier"],
};

pub struct Peer {
    pub ctx: Context,
    pub secure_channels: Arc<SecureChannels>,
    pub signing_vault: Arc<SoftwareVaultForSigning>,
    pub tcp: Arc<TcpTransport>,
    pub identifier: Identifier,
    pub presenter: Option<Arc<Presenter>>,
    pub timeout: Duration,
    authority: Option<Identifier>,
    trusted: Vec<Identifier>,
}

impl Peer {
    /// Build the node from the shared options. Nothing touches the disk but the files named on
    /// the command line, and nothing touches the network.
    pub async fn create(ctx: &Context, args: &Args) -> Outcome<Peer> {
        let database = SqlxDatabase::in_memory("ockam-peer").await?;
        let secrets = Arc::new(SecretsSqlxDatabase::new(database.clone()));
        let signing_vault = Arc::new(SoftwareVaultForSigning::new(secrets.clone()));
        let mut vault = Vault::create_with_secrets_repository(secrets);
        vault.identity_vault = signing_vault.clone();

        let identities = Identities::create_with_node(database.clone(), "ockam-peer")
            .with_vault(vault)
            .build();
        let channel_repository = Arc::new(SecureChannelSqlxDatabase::new(database));
        let secure_channels = SecureChannels::from_identities(identities, channel_repository);

        let mut peer = Peer {
            ctx: ctx.try_clone()?,
            secure_channels,
            signing_vault,
            tcp: TcpTransport::get_or_create(ctx)?,
            identifier: Identifier([0; 32]),
            presenter: None,
            timeout: Duration::from_secs_f64(args.parsed("timeout")?.unwrap_or(10.0)),
            authority: None,
            trusted: Vec::new(),
        };

        let kind = key_type(args.get("key-type"))?;
        peer.identifier = match args.get("identity-file") {
            Some(path) => IdentityFile::load_or_create(path, &peer, kind).await?,
            None => {
                let creation = peer.identities().identities_creation();
                let mut builder = creation.identity_builder();
                if let Some(kind) = kind {
                    builder = builder.with_random_key(kind);
                }
                builder.build().await?
            }
        };
        if args.has("print-identifier") {
            say(&format!("identifier {}", peer.identifier));
        }

        for text in args.all("trust").flat_map(|list| list.split(',')) {
            peer.trusted.push(
                text.parse()
                    .map_err(|_| format!("--trust: \"{text}\" is not an identifier"))?,
            );
        }
        if let Some(text) = args.get("authority") {
            let history = crate::hex_argument("authority", text)?;
            let verification = peer.identities().identities_verification();
            peer.authority = Some(verification.import(None, &history).await?);
        }
        peer.presenter = Presenter::from_args(&peer, args).await?;
        Ok(peer)
    }

    pub fn identities(&self) -> Arc<Identities> {
        self.secure_channels.identities()
    }

    pub fn channel_options(&self) -> Outcome<SecureChannelOptions> {
        let mut options = SecureChannelOptions::new()
            .with_timeout(self.timeout)
            .with_trust_policy(self.trust_policy());
        if let Some(authority) = &self.authority {
            options = options.with_authority(authority.clone());
        }
        if let Some(presenter) = &self.presenter {
            options = options.with_credential_retriever_creator(presenter.creator())?;
        }
        Ok(options)
    }

    pub fn listener_options(&self) -> Outcome<SecureChannelListenerOptions> {
        let mut options =
            SecureChannelListenerOptions::new().with_trust_policy(self.trust_policy());
        if let Some(authority) = &self.authority {
            options = options.with_authority(authority.clone());
        }
        if let Some(presenter) = &self.presenter {
            options = options.with_credential_retriever_creator(presenter.creator())?;
        }
        Ok(options)
    }

    fn trust_policy(&self) -> SayingPolicy {
        SayingPolicy {
            trusted: self.trusted.clone(),
        }
    }

    pub fn channels(&self) -> Vec<SecureChannelRegistryEntry> {
        self.secure_channels
            .secure_channel_registry()
            .get_channel_list()
    }

    /// `k=v,k=v` that the authority attested for `subject`; `-` when there is nothing.
    pub async fn attributes_of(&self, subject: &Identifier) -> String {
        let Some(authority) = &self.authority else {
            return "-".into();
        };
        let attributes = self.identities().identities_attributes();
        match attributes.get_attributes(subject, authority).await {
            Ok(Some(entry)) => entry.deserialized_key_value_attrs().join(","),
            _ => "-".into(),
        }
    }

    pub fn has_authority(&self) -> bool {
        self.authority.is_some()
    }

    /// Stop every channel from this side, in order, and leave the Close messages a moment to
    /// reach the wire: a node that shuts down at once would cut them off.
    pub async fn close_all_channels(&self) {
        let channels = self.channels();
        for channel in &channels {
            let _ = self.ctx.stop_address(channel.encryptor_messaging_address());
        }
        if !channels.is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Trust everyone, or a list; either way say what was decided, because a refusal is silent on
/// the wire and tests need to see it.
struct SayingPolicy {
    trusted: Vec<Identifier>,
}

#[ockam::worker]
impl TrustPolicy for SayingPolicy {
    async fn check(&self, info: &SecureChannelTrustInfo) -> ockam::Result<bool> {
        let identifier = info.their_identity_id();
        let ok = self.trusted.is_empty() || self.trusted.contains(identifier);

        if ok {
            events::trusted(identifier);
        }
        say(&format!(
            "{} {identifier}",
            if ok { "trusted" } else { "refused" }
        ));
        Ok(ok)
    }
}
