// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! The workers a peer serves messages with: `echo`, `uppercase`, `hop`, `sink`, and a forwarder
//! into another connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ockam::identity::{Identifier, SecureChannelRegistry};
use ockam::{Address, Any, Context, Decodable, Encodable, LocalMessage, Route, Routed, Worker};
use ockam::{Message, TryClone};

use crate::credential::Presenter;
use crate::say;

/// What a served message does besides being answered; shared by all services of a node.
pub struct Watcher {
    pub registry: SecureChannelRegistry,
    pub presenter: Option<Arc<Presenter>>,
    /// Print a line for each message.
    pub messages: bool,
    /// Answer that much later.
    pub delay: Duration,
    /// After that many messages: end the process without a word (before answering).
    pub abort_after: Option<u64>,
    /// After that many messages of one channel: close it (after answering).
    pub close_after: Option<u64>,
    /// After that many messages: present the next credential on every channel.
    pub refresh_after: Option<u64>,
    pub served: Mutex<Served>,
}

#[derive(Default)]
pub struct Served {
    total: u64,
    per_channel: HashMap<Address, u64>,
}

/// What is left to do once a message was answered.
#[derive(Default)]
struct Afterwards {
    close: Option<Address>,
    refresh: bool,
}

impl Watcher {
    async fn saw(&self, service: &Address, message: &LocalMessage) -> Afterwards {
        if self.messages {
            let peer = Self::peer_of(message);
            say(&format!(
                "message {} {} bytes={} onward={} return={}",
                service.address(),
                peer.map_or("plain".into(), |i| i.to_string()),
                message.payload().len(),
                route_text(message.onward_route()),
                route_text(message.return_route()),
            ));
        }

        let mut afterwards = Afterwards::default();
        {
            let mut served = self.served.lock().unwrap();
            served.total += 1;
            if self.abort_after == Some(served.total) {
                say("aborting");
                std::process::exit(0);
            }
            afterwards.refresh = self.refresh_after == Some(served.total);

            if let Some(channel) = self.channel_of(message) {
                let count = served.per_channel.entry(channel.clone()).or_default();
                *count += 1;
                if self.close_after == Some(*count) {
                    afterwards.close = Some(channel);
                }
            }
        }
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        afterwards
    }

    async fn finish(&self, ctx: &Context, afterwards: Afterwards) {
        if afterwards.refresh {
            if let Some(presenter) = &self.presenter {
                if let Err(error) = presenter.refresh(ctx).await {
                    say(&format!("refresh-failed {error}"));
                }
            }
        }
        if let (Some(channel), Ok(ctx)) = (afterwards.close, ctx.try_clone()) {
            // Later, not now: stopping an encryptor overtakes what is still in its mailbox.
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let _ = ctx.stop_address(&channel);
            });
        }
    }

    /// Whom the message is from, if it came out of a channel of this node. The mark stays with a
    /// message that goes through a hop of this node, and no remote node can set it.
    fn peer_of(message: &LocalMessage) -> Option<Identifier> {
        let mark = message
            .local_info()
            .iter()
            .find(|info| info.type_identifier() == "SECURE_CHANNEL_IDENTIFIER")?;
        // CBOR: a byte string of 32.
        Identifier::try_from(mark.data().strip_prefix(&[0x58, 32])?).ok()
    }

    /// The channel it came out of, if the first hop back is one.
    fn channel_of(&self, message: &LocalMessage) -> Option<Address> {
        let first = message.return_route().next().ok()?;
        let entry = self.registry.get_channel_by_encryptor_address(first)?;
        Some(entry.encryptor_messaging_address().clone())
    }
}

pub fn route_text(route: &Route) -> String {
    let hops: Vec<String> = route.iter().map(|hop| hop.to_string()).collect();
    format!("[{}]", hops.join(","))
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Echo,
    Uppercase,
    Hop,
    Sink,
}

impl Kind {
    pub fn named(name: &str) -> Result<Kind, String> {
        match name {
            "echo" => Ok(Kind::Echo),
            "uppercase" => Ok(Kind::Uppercase),
            "hop" => Ok(Kind::Hop),
            "sink" => Ok(Kind::Sink),
            _ => Err(format!(
                "no such service \"{name}\"; there are echo, uppercase, hop, sink"
            )),
        }
    }
}

pub struct Service {
    pub kind: Kind,
    pub watcher: Arc<Watcher>,
}

#[ockam::worker]
impl Worker for Service {
    type Context = Context;
    type Message = Any;

    async fn handle_message(
        &mut self,
        ctx: &mut Context,
        message: Routed<Any>,
    ) -> ockam::Result<()> {
        let address = message.msg_addr().clone();
        let message = message.into_local_message();
        let afterwards = self.watcher.saw(&address, &message).await;

        match self.kind {
            Kind::Echo => {
                let raw = Raw(message.payload().to_vec());
                ctx.send(message.return_route().clone(), raw).await?;
            }
            Kind::Uppercase => {
                let text = String::decode(message.payload())?;
                ctx.send(message.return_route().clone(), text.to_uppercase())
                    .await?;
            }
            Kind::Hop => {
                let message = message
                    .pop_front_onward_route()?
                    .push_front_return_route(address);
                ctx.forward(message).await?;
            }
            Kind::Sink => {}
        }
        self.watcher.finish(ctx, afterwards).await;
        Ok(())
    }
}

/// A hop that continues into a connection of its own: `[name, x]` becomes `[sender, x]`, and
/// what comes back out of the connection finds `name` instead of `sender` on its way back.
pub struct Forwarder {
    pub sender: Address,
    pub receiver: Address,
    pub watcher: Arc<Watcher>,
}

#[ockam::worker]
impl Worker for Forwarder {
    type Context = Context;
    type Message = Any;

    async fn handle_message(
        &mut self,
        ctx: &mut Context,
        message: Routed<Any>,
    ) -> ockam::Result<()> {
        let address = message.msg_addr().clone();
        let comes_back = message.src_addr() == &self.receiver;
        let message = message.into_local_message();
        let afterwards = self.watcher.saw(&address, &message).await;

        let message = if comes_back {
            let way_back = message.return_route().clone().modify().replace(address);
            message
                .pop_front_onward_route()?
                .set_return_route(way_back.build())
        } else {
            message
                .replace_front_onward_route(self.sender.clone())?
                .push_front_return_route(address)
        };
        ctx.forward(message).await?;
        self.watcher.finish(ctx, afterwards).await;
        Ok(())
    }
}

/// A payload sent and received as it is.
pub struct Raw(pub Vec<u8>);

impl Encodable for Raw {
    fn encode(self) -> ockam::Result<Vec<u8>> {
        Ok(self.0)
    }
}

impl Decodable for Raw {
    fn decode(bytes: &[u8]) -> ockam::Result<Self> {
        Ok(Raw(bytes.to_vec()))
    }
}

impl Message for Raw {}
