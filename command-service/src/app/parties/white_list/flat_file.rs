//! Reads a flat file of hundreds of megabytes, digest by digest.

use std::{fmt, io::Read};

use domain::white_list::{Header, Listed, Mark, Mask, WhiteList};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use tokio::sync::mpsc;

/// The file is not a flat file of the VAT white list.
#[derive(Debug, thiserror::Error)]
#[error("the file is no flat file of the VAT white list: {0}")]
pub struct FlatFileError(#[from] serde_json::Error);

/// Sends digests to the loader.
pub(super) type Chunk = Vec<(Mark, Listed)>;

/// The number of digests per message.
const CHUNK: usize = 8_192;

/// Sends every digest, and returns the other data of the file.
pub(super) fn read(
    file: impl Read,
    sender: &mpsc::Sender<Chunk>,
) -> Result<WhiteList, FlatFileError> {
    let mut reader = serde_json::Deserializer::from_reader(std::io::BufReader::new(file));
    let list = reader.deserialize_map(File { sender })?;
    reader.end()?;
    Ok(list)
}

/// The whole file.
struct File<'a> {
    sender: &'a mpsc::Sender<Chunk>,
}

impl<'de> Visitor<'de> for File<'_> {
    type Value = WhiteList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the members naglowek, maski, skrotyPodatnikowCzynnych and …Zwolnionych")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<WhiteList, M::Error> {
        let (mut header, mut masks) = (None::<Header>, None::<Vec<Mask>>);
        let (mut active, mut exempt) = (None, None);
        while let Some(name) = members.next_key::<String>()? {
            let digests = |listed| Digests { listed, sender: self.sender };
            match name.as_str() {
                "naglowek" => header = Some(members.next_value()?),
                "maski" => masks = Some(members.next_value()?),
                "skrotyPodatnikowCzynnych" => {
                    active = Some(members.next_value_seed(digests(Listed::Active))?);
                }
                "skrotyPodatnikowZwolnionych" => {
                    exempt = Some(members.next_value_seed(digests(Listed::Exempt))?);
                }
                _ => {
                    members.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        // Without one of these, every account would count as not listed.
        active.ok_or_else(|| M::Error::missing_field("skrotyPodatnikowCzynnych"))?;
        exempt.ok_or_else(|| M::Error::missing_field("skrotyPodatnikowZwolnionych"))?;
        Ok(WhiteList {
            header: header.ok_or_else(|| M::Error::missing_field("naglowek"))?,
            masks: masks.ok_or_else(|| M::Error::missing_field("maski"))?,
        })
    }
}

/// One of the two arrays of digests.
struct Digests<'a> {
    listed: Listed,
    sender: &'a mpsc::Sender<Chunk>,
}

impl<'de> DeserializeSeed<'de> for Digests<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Digests<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of digests")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut digests: S) -> Result<(), S::Error> {
        let mut chunk = Vec::with_capacity(CHUNK);
        while let Some(digest) = digests.next_element::<String>()? {
            chunk.push((digest.parse().map_err(S::Error::custom)?, self.listed));
            if chunk.len() == CHUNK {
                self.send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)))?;
            }
        }
        self.send(chunk)
    }
}

impl Digests<'_> {
    fn send<E: serde::de::Error>(&self, chunk: Chunk) -> Result<(), E> {
        self.sender.blocking_send(chunk).map_err(|_| E::custom("the receiver of digests is closed"))
    }
}
