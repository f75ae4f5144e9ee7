// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! `listen` and `relay-hop`: the responder.

use std::sync::Arc;
use std::time::Duration;

use ockam::access_control::{AllowAll, DenyAll};
use ockam::flow_control::FlowControlId;
use ockam::remote::RemoteRelayOptions;
use ockam::tcp::{TcpConnectionOptions, TcpListenerOptions};
use ockam::{route, Address, Context, Encodable, LocalMessage, RelayService, RelayServiceOptions};
use ockam::{TryClone, WorkerBuilder};
use tokio::signal::unix::{signal, SignalKind};

use crate::args::{Args, Known};
use crate::identity_file::{key_type, IdentityFile};
use crate::peer::{Peer, COMMON};
use crate::services::{Forwarder, Kind, Service, Watcher};
use crate::{events, say, Outcome};

pub const SERVING: Known = Known {
    with_value: &[
        "service-as",
        "delay",
        "abort-after",
        "close-after",
        "refresh-after",
    ],
    switches: &["no-echo", "messages"],
};

const LISTEN: Known = Known {
    with_value: &[
        "port",
        "listener",
        "forward",
        "register-relay",
        "greet",
        "greet-to",
    ],
    switches: &["hop", "relay-service", "abort-on-channel"],
};

/// Flow-control ids through which services are reachable: the TCP listener's and those of all
/// channel listeners.
struct Doors(Vec<FlowControlId>);

impl Doors {
    fn open(&self, peer: &Peer, address: &Address) {
        for id in &self.0 {
            peer.ctx.flow_controls().add_consumer(address, id);
        }
    }
}

pub async fn run(ctx: &Context, words: &[String], with_hop: bool) -> Outcome<()> {
    let args = Args::parse(words, &[&COMMON, &SERVING, &LISTEN])?;
    if let Some(word) = args.words().first() {
        return Err(format!("\"{word}\": listen takes options only").into());
    }
    let port: u16 = args.parsed("port")?.unwrap_or(0);
    // Before anything that can be waited for, so that no early signal kills the process.
    let mut signals = Signals::create()?;
    let peer = Arc::new(Peer::create(ctx, &args).await?);
    let watcher = Arc::new(create_watcher(&peer, &args)?);

    let tcp_options = TcpListenerOptions::new();
    let mut doors = Doors(vec![tcp_options.spawner_flow_control_id()]);
    start_listeners(&peer, &args, &mut doors)?;
    start_services(&peer, &args, &watcher, with_hop, &doors)?;
    for text in args.all("forward") {
        start_forwarder(&peer, text, &watcher, &doors).await?;
    }

    let greeting = args.get("greet").map(str::to_string);
    let greet_to: Address = args.get("greet-to").unwrap_or("app").into();
    let greeter = peer.ctx.try_clone()?;
    let abort_on_channel = args.has("abort-on-channel");
    tokio::spawn(events::watch(peer.clone(), move |channel| {
        if abort_on_channel {
            say("aborting");
            std::process::exit(0);
        }
        if let (Some(text), Ok(ctx)) = (greeting.clone(), greeter.try_clone()) {
            tokio::spawn(greet(ctx, route![channel, greet_to.clone()], text));
        }
    }));

    let address = format!("127.0.0.1:{port}");
    let listener = match peer.tcp.listen(&address, tcp_options).await {
        Ok(listener) => listener,
        Err(error) => return Err(format!("cannot listen on {address}: {error}").into()),
    };
    say(&format!(
        "ready {} {}",
        peer.identifier,
        listener.socket_address().port()
    ));
    for text in args.all("register-relay") {
        register_relay(&peer, text).await?;
    }

    loop {
        match signals.next().await {
            Wish::Stop => break,
            Wish::CloseChannels => peer.close_all_channels().await,
            Wish::Refresh => match &peer.presenter {
                Some(presenter) => presenter.refresh(&peer.ctx).await?,
                None => say("refresh-failed no credential to present"),
            },
            Wish::Rotate => match args.get("identity-file") {
                Some(path) => {
                    let kind = key_type(args.get("key-type"))?;
                    IdentityFile::rotate(path, &peer, kind).await?;
                    say("rotated");
                }
                None => say("rotate-failed no identity file"),
            },
        }
    }
    peer.close_all_channels().await;
    say("stopped");
    Ok(())
}

pub fn create_watcher(peer: &Peer, args: &Args) -> Outcome<Watcher> {
    let refresh_after = args.parsed("refresh-after")?;
    if refresh_after.is_some() && peer.presenter.is_none() {
        return Err("--refresh-after needs --issue-from or --credential".into());
    }
    Ok(Watcher {
        registry: peer.secure_channels.secure_channel_registry(),
        presenter: peer.presenter.clone(),
        messages: args.has("messages"),
        delay: Duration::from_millis(args.parsed("delay")?.unwrap_or(0)),
        abort_after: args.parsed("abort-after")?,
        close_after: args.parsed("close-after")?,
        refresh_after,
        served: Default::default(),
    })
}

/// Channel listeners, each reachable in plaintext and through the channels of all others.
fn start_listeners(peer: &Peer, args: &Args, doors: &mut Doors) -> Outcome<()> {
    let mut names: Vec<&str> = args.all("listener").collect();
    if names.is_empty() {
        names.push("api");
    }
    for name in &names {
        let options = peer.listener_options()?;
        let id = options.spawner_flow_control_id();
        let options = options.as_consumer(&doors.0[0]).as_consumer(&id);

        doors.0.push(id);
        peer.secure_channels.create_secure_channel_listener(
            &peer.ctx,
            &peer.identifier,
            *name,
            options,
        )?;
    }
    for name in names {
        doors.open(peer, &name.into());
    }
    Ok(())
}

fn start_services(
    peer: &Peer,
    args: &Args,
    watcher: &Arc<Watcher>,
    with_hop: bool,
    doors: &Doors,
) -> Outcome<()> {
    for (name, kind) in service_list(args, with_hop)? {
        let address = Address::from(name);
        doors.open(peer, &address);
        WorkerBuilder::new(Service {
            kind,
            watcher: watcher.clone(),
        })
        .with_address(address)
        .start(&peer.ctx)?;
    }

    if args.has("relay-service") {
        let mut options = RelayServiceOptions::new()
            .alias("static_forwarding_service")
            .prefix("forward_to_");
        for id in &doors.0 {
            options = options.service_as_consumer(id).relay_as_consumer(id);
        }
        RelayService::create(&peer.ctx, "forwarding_service", options)?;
    }
    Ok(())
}

/// Names and kinds of the services asked for.
pub fn service_list(args: &Args, with_hop: bool) -> Result<Vec<(String, Kind)>, String> {
    let mut list = vec![("uppercase".to_string(), Kind::Uppercase)];

    if !args.has("no-echo") {
        list.push(("echo".to_string(), Kind::Echo));
    }
    if with_hop || args.has("hop") {
        list.push(("hop".to_string(), Kind::Hop));
    }
    for text in args.all("service-as") {
        match text.split_once('=') {
            Some((name, kind)) => list.push((name.to_string(), Kind::named(kind)?)),
            None => return Err(format!("--service-as: \"{text}\" is not NAME=KIND")),
        }
    }
    Ok(list)
}

/// `NAME=HOST:PORT`: a hop named NAME that leads into a connection to HOST:PORT.
async fn start_forwarder(
    peer: &Peer,
    text: &str,
    watcher: &Arc<Watcher>,
    doors: &Doors,
) -> Outcome<()> {
    let Some((name, target)) = text.split_once('=') else {
        return Err(format!("--forward: \"{text}\" is not NAME=HOST:PORT").into());
    };
    let options = TcpConnectionOptions::new().with_timeout(peer.timeout);
    let connection = match peer.tcp.connect(target, options).await {
        Ok(connection) => connection,
        Err(error) => return Err(format!("cannot connect to {target}: {error}").into()),
    };
    let address = Address::from(name);
    let flow_controls = peer.ctx.flow_controls();

    doors.open(peer, &address);
    // Replies come out of the connection and must be let through to the hop.
    flow_controls.add_consumer(&address, connection.flow_control_id());
    WorkerBuilder::new(Forwarder {
        sender: connection.sender_address().clone(),
        receiver: connection.receiver_address().clone(),
        watcher: watcher.clone(),
    })
    .with_address(address)
    .start(&peer.ctx)?;
    Ok(())
}

/// `NAME@HOST:PORT`: ask the relay service over there to relay `forward_to_NAME` to this node.
async fn register_relay(peer: &Peer, text: &str) -> Outcome<()> {
    let Some((name, target)) = text.split_once('@') else {
        return Err(format!("--register-relay: \"{text}\" is not NAME@HOST:PORT").into());
    };
    let options = TcpConnectionOptions::new().with_timeout(peer.timeout);
    let connection = match peer.tcp.connect(target, options).await {
        Ok(connection) => connection,
        Err(error) => return Err(format!("cannot connect to {target}: {error}").into()),
    };
    // What the relay sends comes out of this connection: let it reach what is served here.
    let flow_controls = peer.ctx.flow_controls();
    for address in peer.ctx.list_workers()? {
        flow_controls.add_consumer(&address, connection.flow_control_id());
    }
    let relay = ockam::remote::RemoteRelay::create_static(
        &peer.ctx,
        route![connection.sender_address().clone()],
        name,
        RemoteRelayOptions::new(),
    )
    .await?;
    say(&format!("relay-made {}", relay.remote_address()));
    Ok(())
}

/// Speak first on a new channel. Sent in the name of `echo`, so that answers are echoed.
async fn greet(ctx: Context, onward: ockam::Route, text: String) {
    let Ok(payload) = text.encode() else { return };
    let message = LocalMessage::new()
        .with_onward_route(onward)
        .with_return_route(route!["echo"])
        .with_payload(payload);
    let result = match ctx.new_detached(Address::random_local(), DenyAll, AllowAll) {
        Ok(ctx) => ctx.forward(message).await,
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        say(&format!("greeting-failed {error}"));
    }
}

pub enum Wish {
    Stop,
    CloseChannels,
    Refresh,
    Rotate,
}

/// SIGTERM and SIGINT stop the node in order, SIGUSR1 presents the next credential, SIGUSR2
/// closes all channels, SIGHUP rotates the identity. (SIGKILL is the way to stop without Close
/// messages.)
struct Signals {
    term: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    usr1: tokio::signal::unix::Signal,
    usr2: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn create() -> Outcome<Signals> {
        let open = |kind| signal(kind).map_err(|e| format!("cannot handle signals: {e}"));
        Ok(Signals {
            term: open(SignalKind::terminate())?,
            interrupt: open(SignalKind::interrupt())?,
            usr1: open(SignalKind::user_defined1())?,
            usr2: open(SignalKind::user_defined2())?,
            hangup: open(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.term.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.usr1.recv() => Wish::Refresh,
            _ = self.usr2.recv() => Wish::CloseChannels,
            _ = self.hangup.recv() => Wish::Rotate,
        }
    }
}
