// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! `bench messages`: what messages over a secure channel cost the crate. Both sides are in this
//! process, on one router, and talk over TCP on the loopback. What is printed has the members of
//! what selftests/bench/traffic prints.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ockam::access_control::AllowAll;
use ockam::identity::{SecureChannelListenerOptions, SecureChannelOptions};
use ockam::tcp::{TcpConnectionOptions, TcpListenerOptions};
use ockam::{route, Address, Any, Context, LocalMessage, MessageReceiveOptions, Route};
use tokio::sync::Semaphore;

use crate::args::{Args, Known};
use crate::peer::{Peer, COMMON};
use crate::{say, Outcome};

const MESSAGES: Known = Known {
    with_value: &["count", "size", "flows"],
    switches: &["ask"],
};

/// As many as traffic allows.
const WINDOW_BYTES: usize = 4 << 20;
const WINDOW_MOST: usize = 512;

/// Only emulation is as slow as this.
const PATIENCE: Duration = Duration::from_secs(60);

/// The two ends of a channel.
struct Flow {
    out: Context,
    sink: Context,
    to: Route,
}

pub async fn run(ctx: &Context, words: &[String]) -> Outcome<()> {
    let args = Args::parse(words, &[&COMMON, &MESSAGES])?;
    let count: usize = args.parsed("count")?.unwrap_or(100);
    let size: usize = args.parsed("size")?.unwrap_or(64);
    let flows: usize = args.parsed("flows")?.unwrap_or(1);
    let ask = args.has("ask");
    if count == 0 || flows == 0 {
        return Err("bench messages: --count and --flows are at least 1".into());
    }
    let mut all = open(ctx, &args, flows).await?;
    let window = (WINDOW_BYTES / size.max(1)).clamp(1, WINDOW_MOST);

    // The first phase warms up.
    let mut said = Vec::new();
    let mut took = Vec::new();
    for count in [count / 4 + 1, count] {
        let started = Instant::now();
        let mut tasks = Vec::new();
        for flow in all {
            tasks.push(tokio::spawn(phase(flow, count, size, window, ask)));
        }
        all = Vec::new();
        for task in tasks {
            let (flow, times) = task.await.map_err(|e| e.to_string())??;
            all.push(flow);
            took = times;
        }
        said.push(format!(
            "{{\"count\": {0}, \"received\": {0}, \"seconds\": {1:.9}, \"busy\": -1}}",
            count * flows,
            started.elapsed().as_secs_f64()
        ));
    }
    took.sort();
    let latency = match took.len() {
        0 => String::new(),
        n => format!(
            ", \"p50\": {:.9}, \"p99\": {:.9}",
            took[n / 2].as_secs_f64(),
            took[n * 99 / 100].as_secs_f64()
        ),
    };
    say(&format!(
        "{{\"system\": \"rust\", \"size\": {size}, \"batch\": 1, \"flows\": {flows}, \
         \"hops\": 0, \"ask\": {ask}, \"beside\": 0, \"window\": {window}, \
         \"phases\": [{}]{latency}}}",
        said.join(", ")
    ));
    Ok(())
}

/// Channels over one connection, with somebody behind each end.
async fn open(ctx: &Context, args: &Args, flows: usize) -> Outcome<Vec<Flow>> {
    let ours = Peer::create(ctx, args).await?;
    let theirs = Peer::create(ctx, args).await?;
    let tcp = TcpListenerOptions::new();
    let listener = SecureChannelListenerOptions::new().as_consumer(&tcp.spawner_flow_control_id());
    let spawner = listener.spawner_flow_control_id();
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

    let mut all = Vec::new();
    for _ in 0..flows {
        let options = SecureChannelOptions::new().with_timeout(PATIENCE);
        let back = options.producer_flow_control_id();
        let channel = ours
            .secure_channels
            .create_secure_channel(
                &ours.ctx,
                &ours.identifier,
                route![connection.sender_address().clone(), "api"],
                options,
            )
            .await?;
        let out = Address::random_local();
        let sink = Address::random_local();
        let flow_controls = ctx.flow_controls();
        flow_controls.add_consumer(&sink, &spawner);
        flow_controls.add_consumer(&out, &back);
        all.push(Flow {
            out: ctx.new_detached(out, AllowAll, AllowAll)?,
            sink: ctx.new_detached(sink.clone(), AllowAll, AllowAll)?,
            to: route![channel.encryptor_address().clone(), sink],
        });
    }
    Ok(all)
}

async fn take(ctx: &mut Context, size: usize) -> Outcome<LocalMessage> {
    let options = MessageReceiveOptions::new().with_timeout(PATIENCE);
    let message = ctx.receive_extended::<Any>(options).await?;
    let message = message.into_local_message();
    match message.payload().len() == size {
        true => Ok(message),
        false => Err(format!("a message of {} bytes", message.payload().len()).into()),
    }
}

fn message(to: &Route, back: Route, payload: &[u8]) -> LocalMessage {
    LocalMessage::new()
        .with_onward_route(to.clone())
        .with_return_route(back)
        .with_payload(payload.to_vec())
}

/// So many messages; with replies, how long each took.
async fn phase(
    flow: Flow,
    count: usize,
    size: usize,
    window: usize,
    ask: bool,
) -> Outcome<(Flow, Vec<Duration>)> {
    let Flow {
        mut out,
        mut sink,
        to,
    } = flow;
    let free = Arc::new(Semaphore::new(window));
    let freed = free.clone();
    let payload = vec![0x5a; size];
    let way = to.clone();

    let receiver = tokio::spawn(async move {
        for _ in 0..count {
            let got = take(&mut sink, size).await?;
            if ask {
                let back = got.return_route().clone();
                sink.forward(message(&back, route![], got.payload()))
                    .await?;
            }
            freed.add_permits(1);
        }
        Outcome::Ok(sink)
    });
    let sender = tokio::spawn(async move {
        let mut took = Vec::new();
        for _ in 0..count {
            if let Ok(permit) = free.acquire().await {
                permit.forget();
            }
            let started = Instant::now();
            let back = route![out.primary_address().clone()];
            out.forward(message(&way, back, &payload)).await?;
            if ask {
                take(&mut out, size).await?;
                took.push(started.elapsed());
            }
        }
        Outcome::Ok((out, took))
    });
    let sink = receiver.await.map_err(|e| e.to_string())??;
    let (out, took) = sender.await.map_err(|e| e.to_string())??;
    Ok((Flow { out, sink, to }, took))
}
