// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! `bench`: what handshakes cost the crate. Both sides are in this process and on one router,
//! which spares them a second runtime; each has a database in memory of its own. Every handshake
//! goes over the same TCP connection on the loopback, one after the other, and its channel stays.

use std::fs;
use std::time::{Duration, Instant};

use ockam::identity::models::{CredentialAndPurposeKey, CredentialSchemaIdentifier};
use ockam::identity::utils::AttributesBuilder;
use ockam::identity::{
    Identifier, SecureChannelListenerOptions, SecureChannelOptions, SecureChannels,
};
use ockam::tcp::{TcpConnectionOptions, TcpListenerOptions};
use ockam::{route, Context, Route};

use crate::args::{Args, Known};
use crate::peer::{Peer, COMMON};
use crate::{say, Outcome};

const BENCH: Known = Known {
    with_value: &["count"],
    switches: &[],
};

/// The kind's name is also that of its listener.
const KINDS: [&str; 3] = ["known", "new", "credential"];

/// Clocks of the whole machine, of this process, and on the wall; in seconds.
struct Clocks {
    busy: f64,
    process: f64,
    wall: Instant,
}

/// Hundredths of a second: /proc counts in them for everybody.
fn ticks(path: &str, fields: &[usize]) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let words: Vec<&str> = text
        .lines()
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let sum: u64 = fields
        .iter()
        .filter_map(|i| words.get(*i)?.parse::<u64>().ok())
        .sum();
    sum as f64 / 100.0
}

impl Clocks {
    fn read() -> Clocks {
        let cpus = fs::read_to_string("/proc/stat").unwrap_or_default();
        let cpus = cpus.lines().filter(|l| l.starts_with("cpu")).count() - 1;
        let up = fs::read_to_string("/proc/uptime").unwrap_or_default();
        let up: Vec<f64> = up.split_whitespace().flat_map(str::parse).collect();
        Clocks {
            // As far as it is not idle.
            busy: up.first().unwrap_or(&0.0) * cpus as f64 - up.get(1).unwrap_or(&0.0),
            process: ticks("/proc/self/stat", &[13, 14]),
            wall: Instant::now(),
        }
    }

    fn report(&self, kind: &str, count: usize) {
        let now = Clocks::read();
        say(&format!(
            "{{\"system\": \"rust\", \"kind\": \"{kind}\", \"count\": {count}, \
             \"seconds\": {:.6}, \"busy\": {:.2}, \"process\": {:.2}}}",
            (now.wall - self.wall).as_secs_f64(),
            now.busy - self.busy,
            now.process - self.process
        ));
    }
}

pub async fn run(ctx: &Context, words: &[String]) -> Outcome<()> {
    if words.first().map(String::as_str) == Some("messages") {
        return crate::bench_messages::run(ctx, &words[1..]).await;
    }
    let args = Args::parse(words, &[&COMMON, &BENCH])?;
    let words = args.words();
    let [kind] = words.as_slice() else {
        return Err("bench wants a kind of peer, known, new or credential, or messages".into());
    };
    if !KINDS.contains(kind) {
        return Err(format!("bench: no kind \"{kind}\"; there are: {}", KINDS.join(", ")).into());
    }
    let count: usize = args.parsed("count")?.unwrap_or(100);
    let ours = Peer::create(ctx, &args).await?;
    let theirs = Peer::create(ctx, &args).await?;
    let mut credential = None;
    let mut listener = SecureChannelListenerOptions::new();
    if *kind == "credential" {
        let authority = ours.identities().identities_creation();
        let authority = authority.create_identity().await?;
        let history = ours.identities().export_identity(&authority).await?;
        let verification = theirs.identities().identities_verification();
        verification.import(None, &history).await?;

        let attributes = AttributesBuilder::with_schema(CredentialSchemaIdentifier(1));
        let attributes = attributes.with_attribute("app", "demo").build();
        let creation = ours.identities().credentials().credentials_creation();
        let ttl = Duration::from_secs(3600);
        credential = Some(
            creation
                .issue_credential(&authority, &ours.identifier, attributes, ttl)
                .await?,
        );
        listener = listener.with_authority(authority);
    }

    let tcp = TcpListenerOptions::new();
    let listener = listener.as_consumer(&tcp.spawner_flow_control_id());
    theirs.secure_channels.create_secure_channel_listener(
        &theirs.ctx,
        &theirs.identifier,
        "api",
        listener,
    )?;
    let socket = theirs.tcp.listen("127.0.0.1:0", tcp).await?;
    let connection = ours
        .tcp
        .connect(
            socket.socket_address().to_string(),
            TcpConnectionOptions::new(),
        )
        .await?;
    let to = route![connection.sender_address().clone(), "api"];

    let mut who = vec![ours.identifier.clone(); count];
    if *kind == "new" {
        for identifier in who.iter_mut() {
            let creation = ours.identities().identities_creation();
            *identifier = creation.create_identity().await?;
        }
    }
    // The first one of all introduces them.
    handshake(&ours, &ours.identifier, &to, &credential).await?;
    settle(&theirs.secure_channels, 1).await?;

    let clocks = Clocks::read();
    for identifier in &who {
        handshake(&ours, identifier, &to, &credential).await?;
    }
    settle(&theirs.secure_channels, count + 1).await?;
    clocks.report(kind, count);
    Ok(())
}

async fn handshake(
    peer: &Peer,
    identifier: &Identifier,
    to: &Route,
    credential: &Option<CredentialAndPurposeKey>,
) -> Outcome<()> {
    let mut options = SecureChannelOptions::new().with_timeout(peer.timeout);
    if let Some(credential) = credential {
        options = options.with_credential(credential.clone())?;
    }
    peer.secure_channels
        .create_secure_channel(&peer.ctx, identifier, to.clone(), options)
        .await?;
    Ok(())
}

/// The responder finishes last; its channels are then in its list.
async fn settle(theirs: &SecureChannels, count: usize) -> Outcome<()> {
    for _ in 0..10_000 {
        if theirs.secure_channel_registry().get_channel_list().len() >= count {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Err("the responder did not finish its handshakes".into())
}
