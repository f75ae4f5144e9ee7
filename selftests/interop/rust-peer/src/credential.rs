// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! What this node presents about itself, and how it presents something newer on a channel that
//! is already up (RefreshCredentials).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ockam::access_control::{AllowAll, DenyAll};
use ockam::identity::models::{CredentialAndPurposeKey, CredentialSchemaIdentifier};
use ockam::identity::utils::AttributesBuilder;
use ockam::identity::{CredentialRetriever, CredentialRetrieverCreator, Identifier, Identities};
use ockam::{route, Address, Context};

use crate::args::Args;
use crate::identity_file::IdentityFile;
use crate::peer::Peer;
use crate::{say, Outcome};

/// Where the next credential comes from.
enum Source {
    /// `--credential`, repeatable: the next of the list at each refresh.
    List(Mutex<VecDeque<CredentialAndPurposeKey>>),
    /// `--issue-from`: this process holds the authority's key and signs for itself.
    Issuer {
        identities: Arc<Identities>,
        authority: Identifier,
        subject: Identifier,
        attributes: Vec<(String, String)>,
        ttl: Duration,
    },
}

/// Holds the current credential; encryptors subscribe and are told about a newer one.
pub struct Presenter {
    source: Source,
    current: Mutex<CredentialAndPurposeKey>,
    refreshes: Mutex<u32>,
    subscribers: Mutex<Vec<Address>>,
}

impl Presenter {
    pub async fn from_args(peer: &Peer, args: &Args) -> Outcome<Option<Arc<Presenter>>> {
        let source = match (args.get("issue-from"), args.get("credential")) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err("--issue-from and --credential exclude each other".into())
            }
            (Some(path), None) => Source::Issuer {
                identities: peer.identities(),
                authority: IdentityFile::load(path, peer).await?,
                subject: peer.identifier.clone(),
                attributes: read_attributes(args)?,
                ttl: Duration::from_secs(args.parsed("credential-ttl")?.unwrap_or(3600)),
            },
            (None, Some(_)) => {
                let mut list = VecDeque::new();
                for text in args.all("credential") {
                    let bytes = crate::hex_argument("credential", text)?;
                    list.push_back(CredentialAndPurposeKey::decode_from_cbor_bytes(&bytes)?);
                }
                Source::List(Mutex::new(list))
            }
        };
        let first = source.next(0).await?;
        Ok(Some(Arc::new(Presenter {
            source,
            current: Mutex::new(first),
            refreshes: Mutex::new(0),
            subscribers: Mutex::new(Vec::new()),
        })))
    }

    pub fn creator(self: &Arc<Self>) -> Arc<dyn CredentialRetrieverCreator> {
        Arc::new(PresenterCreator(self.clone()))
    }

    /// Get the next credential and have every open channel present it.
    pub async fn refresh(&self, ctx: &Context) -> Outcome<()> {
        let number = {
            let mut refreshes = self.refreshes.lock().unwrap();
            *refreshes += 1;
            *refreshes
        };
        let next = self.source.next(number).await?;
        *self.current.lock().unwrap() = next;

        // A context of its own: the node's first one may not send to anybody.
        let ctx = ctx.new_detached(Address::random_local(), DenyAll, AllowAll)?;
        let subscribers = self.subscribers.lock().unwrap().clone();
        for subscriber in &subscribers {
            ctx.send(route![subscriber.clone()], ()).await?;
        }
        say(&format!(
            "refreshed {number} channels={}",
            subscribers.len()
        ));
        Ok(())
    }
}

impl Source {
    async fn next(&self, refreshes: u32) -> Outcome<CredentialAndPurposeKey> {
        match self {
            Source::List(list) => list
                .lock()
                .unwrap()
                .pop_front()
                .ok_or("no further --credential to present".into()),
            Source::Issuer {
                identities,
                authority,
                subject,
                attributes,
                ttl,
            } => {
                let mut builder = AttributesBuilder::with_schema(CredentialSchemaIdentifier(1));
                for (key, value) in attributes {
                    builder = builder.with_attribute(key.as_bytes(), value.as_bytes());
                }
                // Makes each credential differ: an encryptor does not present the same one twice.
                builder = builder.with_attribute("refresh", refreshes.to_string());
                let creation = identities.credentials().credentials_creation();
                Ok(creation
                    .issue_credential(authority, subject, builder.build(), *ttl)
                    .await?)
            }
        }
    }
}

fn read_attributes(args: &Args) -> Outcome<Vec<(String, String)>> {
    let mut attributes = Vec::new();
    for text in args.all("attribute") {
        match text.split_once('=') {
            Some((key, value)) => attributes.push((key.to_string(), value.to_string())),
            None => return Err(format!("--attribute: \"{text}\" is not KEY=VALUE").into()),
        }
    }
    Ok(attributes)
}

struct PresenterCreator(Arc<Presenter>);

#[ockam::worker]
impl CredentialRetrieverCreator for PresenterCreator {
    async fn create(&self, _subject: &Identifier) -> ockam::Result<Arc<dyn CredentialRetriever>> {
        Ok(Arc::new(PresenterHandle(self.0.clone())))
    }
}

struct PresenterHandle(Arc<Presenter>);

#[ockam::worker]
impl CredentialRetriever for PresenterHandle {
    async fn initialize(&self) -> ockam::Result<()> {
        Ok(())
    }

    async fn retrieve(&self) -> ockam::Result<CredentialAndPurposeKey> {
        Ok(self.0.current.lock().unwrap().clone())
    }

    fn subscribe(&self, address: &Address) -> ockam::Result<()> {
        self.0.subscribers.lock().unwrap().push(address.clone());
        Ok(())
    }

    fn unsubscribe(&self, address: &Address) -> ockam::Result<()> {
        self.0.subscribers.lock().unwrap().retain(|a| a != address);
        Ok(())
    }
}
