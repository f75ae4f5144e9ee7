// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! `send`: the initiator.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ockam::access_control::{AllowAll, DenyAll};
use ockam::flow_control::FlowControlId;
use ockam::identity::{SecureChannel, SecureChannelRegistryEntry};
use ockam::tcp::{TcpConnection, TcpConnectionOptions};
use ockam::WorkerBuilder;
use ockam::{
    route, Address, Any, Context, Decodable, Encodable, LocalMessage, MessageReceiveOptions, Route,
};
use tokio::sync::Semaphore;

use crate::args::{Arg, Args, Known};
use crate::listen::{create_watcher, service_list, SERVING};
use crate::peer::{Peer, COMMON};
use crate::services::{route_text, Service};
use crate::{say, Outcome};

const SEND: Known = Known {
    with_value: &[
        "to",
        "via",
        "via-inner",
        "channel",
        "service",
        "count",
        "size",
        "window",
        "interval",
        "linger",
        "reroute-after",
    ],
    switches: &[
        "quiet",
        "raw",
        "no-reply",
        "serve",
        "routes",
        "keep-open",
        "grow",
    ],
};

/// What to send and what must come back.
struct Plan {
    payload: Vec<u8>,
    /// Each message is one byte longer than the one before.
    grow: bool,
    /// The reply must be equal to the payload (otherwise it is a BARE string to print).
    compare: bool,
    count: u64,
    /// Messages under way at the same time.
    window: usize,
    interval: Duration,
    reply: bool,
    quiet: bool,
    routes: bool,
    close_after: Option<u64>,
    abort_after: Option<u64>,
    refresh_after: Option<u64>,
    reroute_after: Option<u64>,
}

/// The way to the service: the connection and the channels made along it.
struct Path {
    route: Route,
    channels: Vec<SecureChannel>,
    /// Hops between the connection and the first channel's listener, for a second way there.
    outer: Vec<Address>,
}

pub async fn run(ctx: &Context, words: &[String]) -> Outcome<()> {
    let args = Args::parse(words, &[&COMMON, &SERVING, &SEND])?;
    let to = args.need("to")?;
    let service = args.need("service")?;
    let plan = create_plan(&args)?;
    let peer = Arc::new(Peer::create(ctx, &args).await?);

    let connection = connect(&peer, to).await?;
    // Before any channel: the other side may speak as soon as there is one.
    let served = match args.has("serve") {
        true => serve(&peer, &args)?,
        false => Vec::new(),
    };
    admit(&peer, &served, connection.flow_control_id());
    let path = walk(&peer, &args, &connection, &served).await?;
    let route = path.route.clone() + service;

    let result = exchange(&peer, &path, to, route, &plan).await;
    let linger: f64 = args.parsed("linger")?.unwrap_or(0.0);
    if result.is_ok() && linger > 0.0 {
        tokio::time::sleep(Duration::from_secs_f64(linger)).await;
    }
    if !args.has("keep-open") {
        peer.close_all_channels().await;
    }
    result
}

fn create_plan(args: &Args) -> Outcome<Plan> {
    let words = args.words();
    let size: Option<usize> = args.parsed("size")?;
    let raw = args.has("raw");

    let payload = match (size, words.as_slice()) {
        (Some(size), []) => pattern(size),
        (None, [text]) if raw => hex::decode(text)
            .map_err(|_| format!("--raw: \"{text}\" is not an even number of hex digits"))?,
        (None, [text]) => text.to_string().encode()?,
        (Some(_), _) => return Err("give either --size or a MESSAGE".into()),
        (None, []) => return Err("give a MESSAGE, or --size BYTES".into()),
        (None, _) => return Err("give one MESSAGE; quote it if it has blanks".into()),
    };
    let window: usize = args.parsed("window")?.unwrap_or(1);
    if window == 0 {
        return Err("--window: at least one message must be under way".into());
    }
    let grow = args.has("grow");
    if grow && size.is_none() {
        return Err("--grow needs --size, of the first message".into());
    }
    Ok(Plan {
        payload,
        grow,
        compare: size.is_some() || raw,
        count: args.parsed("count")?.unwrap_or(1),
        window,
        interval: Duration::from_millis(args.parsed("interval")?.unwrap_or(0)),
        reply: !args.has("no-reply"),
        quiet: args.has("quiet"),
        routes: args.has("routes"),
        close_after: args.parsed("close-after")?,
        abort_after: args.parsed("abort-after")?,
        refresh_after: args.parsed("refresh-after")?,
        reroute_after: args.parsed("reroute-after")?,
    })
}

impl Plan {
    fn payload(&self, number: u64) -> Vec<u8> {
        match self.grow {
            true => pattern(self.payload.len() + number as usize - 1),
            false => self.payload.clone(),
        }
    }
}

/// Bytes that are neither constant nor periodic in a power of two, so that a shifted or repeated
/// piece does not go unnoticed.
fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i % 251 + i / 251) as u8).collect()
}

async fn connect(peer: &Peer, to: &str) -> Outcome<TcpConnection> {
    let options = TcpConnectionOptions::new().with_timeout(peer.timeout);
    match peer.tcp.connect(to, options).await {
        Ok(connection) => Ok(connection),
        Err(error) => Err(format!("cannot connect to {to}: {error}").into()),
    }
}

/// Follow `--via`, `--channel` and `--via-inner` in the order given.
async fn walk(
    peer: &Peer,
    args: &Args,
    connection: &TcpConnection,
    served: &[Address],
) -> Outcome<Path> {
    let mut path = Path {
        route: route![connection.sender_address().clone()],
        channels: Vec::new(),
        outer: Vec::new(),
    };
    for arg in args.iter() {
        match arg {
            Arg::Flag("via" | "via-inner", hop) => {
                let hop: Address = hop
                    .parse()
                    .map_err(|_| format!("--via: bad hop \"{hop}\""))?;
                if path.channels.is_empty() {
                    path.outer.push(hop.clone());
                }
                path.route += hop;
            }
            Arg::Flag("channel", name) => {
                let listener: Address = name
                    .parse()
                    .map_err(|_| format!("--channel: bad listener name \"{name}\""))?;
                let options = peer.channel_options()?;
                admit(peer, served, &options.producer_flow_control_id());
                let started = Instant::now();
                let channel = peer
                    .secure_channels
                    .create_secure_channel(
                        &peer.ctx,
                        &peer.identifier,
                        path.route.clone() + listener,
                        options,
                    )
                    .await
                    .map_err(|e| format!("no channel with {name}: {e}"))?;
                say(&format!(
                    "channel-made {} {} initiator {:.1}ms",
                    channel.encryptor_address().address(),
                    channel.their_identifier(),
                    started.elapsed().as_secs_f64() * 1000.0
                ));
                if peer.has_authority() {
                    let text = peer.attributes_of(channel.their_identifier()).await;
                    say(&format!("attributes {} {text}", channel.their_identifier()));
                }
                path.route = route![channel.encryptor_address().clone()];
                path.channels.push(channel);
            }
            _ => {}
        }
    }
    Ok(path)
}

/// Serve the usual services; what comes out of which producers reaches them is up to `admit`.
fn serve(peer: &Peer, args: &Args) -> Outcome<Vec<Address>> {
    let watcher = Arc::new(create_watcher(peer, args)?);
    let mut addresses = Vec::new();

    for (name, kind) in service_list(args, false)? {
        let address = Address::from(name);
        WorkerBuilder::new(Service {
            kind,
            watcher: watcher.clone(),
        })
        .with_address(address.clone())
        .start(&peer.ctx)?;
        addresses.push(address);
    }
    Ok(addresses)
}

fn admit(peer: &Peer, served: &[Address], producer: &FlowControlId) {
    for address in served {
        peer.ctx.flow_controls().add_consumer(address, producer);
    }
}

/// Send and receive at the same time: a peer that answers each message stops reading when nobody
/// takes its answers, so a sender that does not read as well would block for ever.
async fn exchange(peer: &Peer, path: &Path, to: &str, route: Route, plan: &Plan) -> Outcome<()> {
    let own = Address::random_local();
    let flow_controls = peer.ctx.flow_controls();
    if let Some(producer) = flow_controls.find_flow_control_with_producer_address(route.next()?) {
        flow_controls.add_consumer(&own, producer.flow_control_id());
    }
    let mut receiver = peer.ctx.new_detached(own.clone(), AllowAll, DenyAll)?;
    let sender = peer
        .ctx
        .new_detached(Address::random_local(), DenyAll, AllowAll)?;
    let free = Semaphore::new(plan.window.min(Semaphore::MAX_PERMITS));
    let started = Instant::now();

    let send_all = async {
        for number in 1..=plan.count {
            if let Ok(permit) = free.acquire().await {
                permit.forget();
            }
            if number > 1 && !plan.interval.is_zero() {
                tokio::time::sleep(plan.interval).await;
            }
            let message = LocalMessage::new()
                .with_onward_route(route.clone())
                .with_return_route(route![own.clone()])
                .with_payload(plan.payload(number));
            sender
                .forward(message)
                .await
                .map_err(|e| format!("message {number} could not be sent: {e}"))?;
            if !plan.reply {
                after(peer, path, to, plan, number).await?;
                free.add_permits(1);
            }
        }
        Outcome::Ok(())
    };
    let receive_all = async {
        if plan.reply {
            for number in 1..=plan.count {
                receive(peer, &mut receiver, plan, number).await?;
                after(peer, path, to, plan, number).await?;
                free.add_permits(1);
            }
        }
        Outcome::Ok(())
    };
    tokio::try_join!(send_all, receive_all)?;

    let seconds = started.elapsed().as_secs_f64();
    say(&format!(
        "done messages={} bytes={} seconds={seconds:.6}",
        plan.count,
        plan.count * plan.payload.len() as u64
    ));
    Ok(())
}

async fn receive(peer: &Peer, ctx: &mut Context, plan: &Plan, number: u64) -> Outcome<()> {
    let options = MessageReceiveOptions::new().with_timeout(peer.timeout);
    let reply = match ctx.receive_extended::<Any>(options).await {
        Ok(reply) => reply.into_local_message(),
        Err(_) => {
            let seconds = peer.timeout.as_secs_f64();
            return Err(format!("no reply to message {number} within {seconds} s").into());
        }
    };

    if plan.routes {
        say(&format!(
            "reply-route onward={} return={}",
            route_text(reply.onward_route()),
            route_text(reply.return_route())
        ));
    }
    if plan.compare {
        let sent = plan.payload(number);
        if reply.payload() != sent {
            return Err(format!(
                "reply {number} differs: {} bytes sent, {} received, first difference at {}",
                sent.len(),
                reply.payload().len(),
                sent.iter()
                    .zip(reply.payload())
                    .take_while(|(a, b)| a == b)
                    .count()
            )
            .into());
        }
        if !plan.quiet {
            say(&format!("reply bytes={}", reply.payload().len()));
        }
        return Ok(());
    }
    match String::decode(reply.payload()) {
        Ok(text) if !plan.quiet => say(&format!("reply {text}")),
        Ok(_) => {}
        Err(_) => {
            let bytes = hex::encode(reply.payload());
            return Err(format!("reply {number} is not a BARE string: {bytes}").into());
        }
    }
    Ok(())
}

/// What was asked to happen after message `number`.
async fn after(peer: &Peer, path: &Path, to: &str, plan: &Plan, number: u64) -> Outcome<()> {
    if plan.abort_after == Some(number) {
        say("aborting");
        std::process::exit(0);
    }
    if plan.refresh_after == Some(number) {
        match &peer.presenter {
            Some(presenter) => presenter.refresh(&peer.ctx).await?,
            None => return Err("--refresh-after needs --issue-from or --credential".into()),
        }
    }
    if plan.reroute_after == Some(number) {
        let Some(channel) = path.channels.first() else {
            return Err("--reroute-after needs a --channel".into());
        };
        let connection = connect(peer, to).await?;
        let mut way = route![connection.sender_address().clone()];
        for hop in &path.outer {
            way += hop.clone();
        }
        channel.update_remote_node_route(way)?;
        say("rerouted");
    }
    if plan.close_after == Some(number) {
        let open: Vec<SecureChannelRegistryEntry> = peer.channels();
        peer.close_all_channels().await;
        for entry in open {
            say(&format!(
                "channel-closed {} {}",
                entry.encryptor_messaging_address().address(),
                entry.their_id()
            ));
        }
    }
    Ok(())
}
