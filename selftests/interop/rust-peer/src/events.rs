// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! Lines about channels and connections that come and go, and about what the crates complain of.
//!
//! The crates have no hooks, only registries and a log. Registries alone would miss a channel
//! that lives for a millisecond, so the log line that announces a new channel wakes the watcher;
//! the registries then tell who it is and when it is gone.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ockam::identity::Identifier;
use ockam::Address;
use tokio::sync::Notify;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{filter_fn, FilterFn};
use tracing_subscriber::layer::{Context, Layer};

use crate::peer::Peer;
use crate::say;

/// How long a channel or a connection that is gone may still be listed here.
const PERIOD: Duration = Duration::from_millis(20);
const TRIES: u32 = 10;

static NEWS: Mutex<News> = Mutex::new(News {
    channels: VecDeque::new(),
    last_trusted: None,
});
static WAKE: Notify = Notify::const_new();

struct News {
    /// Encryptor addresses announced in the log and not yet looked at.
    channels: VecDeque<(String, &'static str)>,
    /// For a channel that is gone before anybody looked.
    last_trusted: Option<Identifier>,
}

pub fn trusted(identifier: &Identifier) {
    NEWS.lock().unwrap().last_trusted = Some(identifier.clone());
}

/// Reads the crates' log for this module.
pub struct LogReader;

impl LogReader {
    pub fn filter() -> FilterFn<fn(&Metadata<'_>) -> bool> {
        filter_fn(|metadata| {
            metadata.is_event()
                && metadata.target().starts_with("ockam")
                && (metadata.level() <= &Level::WARN
                    || metadata.level() == &Level::INFO
                        && metadata
                            .target()
                            .starts_with("ockam_identity::secure_channel"))
        })
    }
}

impl<S: Subscriber> Layer<S> for LogReader {
    fn on_event(&self, event: &Event<'_>, _ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);

        if event.metadata().level() <= &Level::WARN {
            say(&format!("problem {}", fields.text.replace('\n', " ")));
        } else if let Some(role) = fields.text.strip_prefix("initialized SecureChannel ") {
            let role = if role == "initiator" {
                "initiator"
            } else {
                "responder"
            };
            NEWS.lock()
                .unwrap()
                .channels
                .push_back((fields.local, role));
            WAKE.notify_one();
        } else if fields.text.starts_with("Successfully handled credentials") {
            say("credentials-received");
        }
    }
}

#[derive(Default)]
struct Fields {
    /// The message and then the other fields but `local`.
    text: String,
    local: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.text = format!("{value:?}{}", self.text),
            "local" => self.local = format!("{value:?}"),
            name => self.text += &format!(" {name}={value:?}"),
        }
    }
}

/// Watch until the process ends. `on_channel` gets each new channel's encryptor address.
pub async fn watch(peer: Arc<Peer>, on_channel: impl Fn(Address) + Send + 'static) {
    let mut channels = BTreeMap::new();
    let mut connections = BTreeMap::new();
    let mut attributes = BTreeMap::new();

    loop {
        watch_connections(&peer, &mut connections);
        watch_channels(&peer, &mut channels, &on_channel).await;
        if peer.has_authority() {
            watch_attributes(&peer, &mut attributes).await;
        }
        let _ = tokio::time::timeout(PERIOD, WAKE.notified()).await;
    }
}

async fn watch_channels(
    peer: &Peer,
    known: &mut BTreeMap<Address, Identifier>,
    on_channel: &impl Fn(Address),
) {
    let list = || -> BTreeMap<Address, Identifier> {
        let entries = peer.channels();
        let pair = |e: &ockam::identity::SecureChannelRegistryEntry| {
            (
                e.encryptor_messaging_address().clone(),
                e.their_id().clone(),
            )
        };
        entries.iter().map(pair).collect()
    };

    loop {
        let next = NEWS.lock().unwrap().channels.pop_front();
        let Some((address, role)) = next else { break };
        // "0#abc" as the log prints it.
        let address: Address = address.trim_start_matches("0#").into();
        let mut identifier = list().get(&address).cloned();
        let mut tries = 0;
        // It is announced before it is registered: give the announcer its turn.
        while identifier.is_none() && tries < TRIES {
            tokio::time::sleep(PERIOD / TRIES).await;
            identifier = list().get(&address).cloned();
            tries += 1;
        }
        let identifier = identifier.or_else(|| NEWS.lock().unwrap().last_trusted.clone());
        let Some(identifier) = identifier else { break };
        say(&format!(
            "channel-made {} {identifier} {role}",
            address.address()
        ));
        on_channel(address.clone());
        known.insert(address, identifier);
    }

    let now = list();
    known.retain(|address, identifier| {
        let open = now.contains_key(address);
        if !open {
            say(&format!(
                "channel-closed {} {identifier}",
                address.address()
            ));
        }
        open
    });
}

fn watch_connections(peer: &Peer, known: &mut BTreeMap<Address, SocketAddr>) {
    let senders = peer.tcp.registry().get_all_sender_workers();
    let now: BTreeMap<Address, SocketAddr> = senders
        .iter()
        .map(|s| (s.address().clone(), s.socket_address()))
        .collect();

    for (address, socket) in &now {
        if !known.contains_key(address) {
            say(&format!("connection-made {} {socket}", address.address()));
        }
    }
    for (address, socket) in known.iter() {
        if !now.contains_key(address) {
            say(&format!("connection-closed {} {socket}", address.address()));
        }
    }
    *known = now;
}

async fn watch_attributes(peer: &Peer, known: &mut BTreeMap<Identifier, String>) {
    let entries = peer.channels();
    known.retain(|identifier, _| entries.iter().any(|e| e.their_id() == identifier));
    for entry in &entries {
        let text = peer.attributes_of(entry.their_id()).await;
        if known.get(entry.their_id()) != Some(&text) {
            say(&format!("attributes {} {text}", entry.their_id()));
            known.insert(entry.their_id().clone(), text);
        }
    }
}
