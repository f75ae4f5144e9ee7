// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! A node made of the published Rust crates, for tests that need the real other side.
//!
//! It needs no network but 127.0.0.1, no home directory and no database on disk. Everything it
//! reports is one line on standard output, flushed at once; what went wrong is one sentence on
//! standard error and exit status 1.

mod args;
mod bench;
mod bench_messages;
mod credential;
mod events;
mod identity_file;
mod listen;
mod peer;
mod send;
mod services;

use std::io::Write;

use ockam::identity::{Identity, Vault};
use ockam::{Context, NodeBuilder};
use tracing_subscriber::prelude::*;
use tracing_subscriber::EnvFilter;

use crate::args::Args;
use crate::events::LogReader;
use crate::identity_file::{key_type, IdentityFile};
use crate::peer::{Peer, COMMON};

const USAGE: &str = include_str!("usage.txt");

pub type Outcome<T> = Result<T, Failure>;

/// A sentence for standard error.
#[derive(Debug)]
pub struct Failure(String);

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Failure(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Failure(text.to_string())
    }
}

impl From<ockam::Error> for Failure {
    fn from(error: ockam::Error) -> Self {
        Failure(error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Print one line and flush it: readers wait for lines, pipes would keep them back. Nobody left
/// to read is no reason to stop.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A value given as hex, or as `@FILE` with hex in it.
pub fn hex_argument(name: &str, text: &str) -> Outcome<Vec<u8>> {
    let text = match text.strip_prefix('@') {
        None => text.to_string(),
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|e| format!("--{name}: cannot read {path}: {e}"))?;
            // An identity file serves too: its history is the public half.
            match text.lines().find_map(|l| l.strip_prefix("history ")) {
                Some(history) => history.to_string(),
                None => text,
            }
        }
    };
    hex::decode(text.trim()).map_err(|_| format!("--{name}: not hex").into())
}

/// Say of each line of a file, a change history in hex, whether it verifies. Nothing is kept.
async fn check_histories(path: &str) -> Outcome<()> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))?;
    for line in text.lines() {
        let history = hex::decode(line.trim()).map_err(|_| format!("{path}: not hex"))?;
        match Identity::import(None, &history, Vault::create_verifying_vault()).await {
            Ok(identity) => say(&format!("accepted {}", identity.identifier())),
            Err(error) => say(&format!("refused {error}")),
        }
    }
    Ok(())
}

async fn identity(ctx: &Context, words: &[String]) -> Outcome<()> {
    let args = Args::parse(words, &[&COMMON])?;
    if let ["check", path] = args.words().as_slice() {
        return check_histories(path).await;
    }
    let path = args.need("identity-file")?.to_string();
    let (identifier, peer) = match args.words().as_slice() {
        ["show"] | ["create"] => {
            let peer = Peer::create(ctx, &args).await?;
            (peer.identifier.clone(), peer)
        }
        ["rotate"] => {
            let peer = Peer::create(ctx, &args).await?;
            let kind = key_type(args.get("key-type"))?;
            (IdentityFile::rotate(&path, &peer, kind).await?, peer)
        }
        _ => return Err("identity wants one of: create, show, rotate, check".into()),
    };
    let history = peer.identities().export_identity(&identifier).await?;
    say(&format!("identifier {identifier}"));
    say(&format!("history {}", hex::encode(history)));
    Ok(())
}

/// Issue a credential for an identity known by its change history.
async fn issue(ctx: &Context, words: &[String]) -> Outcome<()> {
    use ockam::identity::models::CredentialSchemaIdentifier;
    use ockam::identity::utils::AttributesBuilder;

    let known = args::Known {
        with_value: &["subject"],
        switches: &[],
    };
    let args = Args::parse(words, &[&COMMON, &known])?;
    args.need("identity-file")?;
    let peer = Peer::create(ctx, &args).await?;
    let history = hex_argument("subject", args.need("subject")?)?;
    let verification = peer.identities().identities_verification();
    let subject = verification.import(None, &history).await?;

    let mut attributes = AttributesBuilder::with_schema(CredentialSchemaIdentifier(1));
    for text in args.all("attribute") {
        let Some((key, value)) = text.split_once('=') else {
            return Err(format!("--attribute: \"{text}\" is not KEY=VALUE").into());
        };
        attributes = attributes.with_attribute(key, value);
    }
    let ttl = std::time::Duration::from_secs(args.parsed("credential-ttl")?.unwrap_or(3600));
    let creation = peer.identities().credentials().credentials_creation();
    let credential = creation
        .issue_credential(&peer.identifier, &subject, attributes.build(), ttl)
        .await?;
    say(&format!("subject {subject}"));
    say(&format!("credential {}", credential.encode_as_string()?));
    Ok(())
}

async fn dispatch(ctx: &Context, words: &[String]) -> Outcome<()> {
    let rest = words.get(1..).unwrap_or_default();
    match words.first().map(String::as_str) {
        Some("listen") => listen::run(ctx, rest, false).await,
        Some("relay-hop") => listen::run(ctx, rest, true).await,
        Some("send") => send::run(ctx, rest).await,
        Some("identity") => identity(ctx, rest).await,
        Some("issue") => issue(ctx, rest).await,
        Some("bench") => bench::run(ctx, rest).await,
        Some(word) => Err(format!("no subcommand \"{word}\"; see ockam-peer --help").into()),
        None => Err("a subcommand is missing; see ockam-peer --help".into()),
    }
}

/// The crates report much by log only: it feeds the event lines, and `--log` (or
/// OCKAM_PEER_LOG) shows it whole.
fn start_log(words: &[String]) {
    let given = words.iter().enumerate().find_map(|(i, word)| match word {
        word if word == "--log" => words.get(i + 1).cloned(),
        word => word.strip_prefix("--log=").map(str::to_string),
    });
    let shown = given
        .or_else(|| std::env::var("OCKAM_PEER_LOG").ok())
        .map(|filter| {
            tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_ansi(false)
                .with_filter(EnvFilter::new(filter))
        });
    tracing_subscriber::registry()
        .with(shown)
        .with(LogReader.with_filter(LogReader::filter()))
        .init();
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|w| w == "--help" || w == "-h") {
        print!("{USAGE}");
        return;
    }
    // Events are made of the crates' log, which costs: nobody reads them in a benchmark.
    if words.first().map(String::as_str) != Some("bench") {
        start_log(&words);
    }
    // A panic anywhere is a failed test, not a worker less.
    std::panic::set_hook(Box::new(|info| {
        eprintln!("ockam-peer: {info}");
        std::process::exit(101);
    }));

    let builder = NodeBuilder::new().no_logging().no_exit_on_panic();
    let (ctx, mut executor) = builder.build();
    let result = executor.execute(async move {
        let result = dispatch(&ctx, &words).await;
        if let Err(failure) = &result {
            eprintln!("ockam-peer: {failure}");
            std::process::exit(1);
        }
        let _ = ctx.shutdown_node().await;
        std::process::exit(0);
        #[allow(unreachable_code)]
        result
    });
    if let Err(error) = result {
        eprintln!("ockam-peer: {error}");
        std::process::exit(1);
    }
}
