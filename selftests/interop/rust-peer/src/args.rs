// SPDX-License-Identifier: Apache-2.0
// Copyright The Ockam for Linux authors
//! The command line: flags with at most one value each, in the order given.
//!
//! Order matters for the hops of a route (`--via a --channel api --via b` is not
//! `--channel api --via a --via b`), which is why this is not a map.

use std::str::FromStr;

/// One flag with its value (empty for a switch), or a bare word.
#[derive(Debug, Clone)]
pub enum Arg {
    Flag(&'static str, String),
    Word(String),
}

/// What a subcommand knows: flags that take a value, and switches.
pub struct Known {
    pub with_value: &'static [&'static str],
    pub switches: &'static [&'static str],
}

pub struct Args {
    list: Vec<Arg>,
}

impl Args {
    /// Sort `words` into flags and bare words. `--flag=value` and `--flag value` mean the same;
    /// everything after `--` is a bare word. Unknown flags are refused by name.
    pub fn parse(words: &[String], known: &[&Known]) -> Result<Args, String> {
        let mut list = Vec::new();
        let mut words = words.iter();

        while let Some(word) = words.next() {
            if word == "--" {
                list.extend(words.map(|w| Arg::Word(w.clone())));
                break;
            }
            let Some(rest) = word.strip_prefix("--") else {
                list.push(Arg::Word(word.clone()));
                continue;
            };
            let (name, attached) = match rest.split_once('=') {
                Some((name, value)) => (name, Some(value.to_string())),
                None => (rest, None),
            };

            let find = |pick: fn(&Known) -> &'static [&'static str]| {
                known
                    .iter()
                    .flat_map(|k| pick(k))
                    .find(|n| **n == name)
                    .copied()
            };
            if let Some(name) = find(|k| k.with_value) {
                let value = match attached.or_else(|| words.next().cloned()) {
                    Some(value) => value,
                    None => return Err(format!("--{name} wants a value after it")),
                };
                list.push(Arg::Flag(name, value));
            } else if let Some(name) = find(|k| k.switches) {
                if attached.is_some() {
                    return Err(format!("--{name} takes no value"));
                }
                list.push(Arg::Flag(name, String::new()));
            } else {
                return Err(format!("unknown option --{name}; see ockam-peer --help"));
            }
        }
        Ok(Args { list })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arg> {
        self.list.iter()
    }

    pub fn has(&self, name: &'static str) -> bool {
        self.all(name).next().is_some()
    }

    /// Every value given for `name`, in order.
    pub fn all<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.list.iter().filter_map(move |arg| match arg {
            Arg::Flag(flag, value) if *flag == name => Some(value.as_str()),
            _ => None,
        })
    }

    /// The last value given for `name`.
    pub fn get(&self, name: &'static str) -> Option<&str> {
        self.all(name).last()
    }

    pub fn need(&self, name: &'static str) -> Result<&str, String> {
        self.get(name).ok_or(format!("--{name} is required"))
    }

    /// The last value given for `name` as a number (or anything else that parses).
    pub fn parsed<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(format!("--{name}: cannot read \"{text}\"")),
            },
        }
    }

    pub fn words(&self) -> Vec<&str> {
        self.list
            .iter()
            .filter_map(|arg| match arg {
                Arg::Word(word) => Some(word.as_str()),
                _ => None,
            })
            .collect()
    }
}
