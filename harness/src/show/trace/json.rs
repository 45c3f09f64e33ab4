//! Recordings as JSON: for the worker's answer, for files, for other programs.

use super::{Event, Known, Recording, Socket, UDP};
use crate::json::Json;

impl Known {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Kernel => "kernel",
            Self::Inferred => "inferred",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Done, Self::Kernel, Self::Inferred].into_iter().find(|known| known.word() == word)
    }
}

impl Recording {
    /// The whole recording.
    pub fn to_json(&self) -> Json {
        Json::object([
            ("id", self.id.as_str().into()),
            ("title", self.title.as_str().into()),
            ("steps", Json::Array(self.steps.iter().map(Event::to_json).collect())),
            ("notes", self.notes.as_slice().into()),
        ])
    }

    /// The reverse of [`Recording::to_json`].
    pub fn from_json(json: &Json) -> Option<Self> {
        let steps = json.get("steps")?.as_array()?.iter().map(Event::from_json);
        Some(Self {
            id: text(json, "id")?,
            title: text(json, "title")?,
            steps: steps.collect::<Option<_>>()?,
            notes: texts(json, "notes")?,
        })
    }
}

impl Event {
    fn to_json(&self) -> Json {
        let step = Json::object([
            ("by", self.by.as_str().into()),
            ("to", self.to.as_deref().map_or(Json::Null, Json::from)),
            ("call", self.call.as_str().into()),
            ("text", self.text.as_str().into()),
            ("hex", hex(&self.bytes).as_str().into()),
            ("length", self.length.into()),
            ("packets", self.packets.as_str().into()),
            ("known", self.known.word().into()),
            ("sockets", Json::Array(self.sockets.iter().map(Socket::to_json).collect())),
            ("doing", self.doing.as_slice().into()),
            ("calls", self.calls.as_slice().into()),
        ]);
        // Of connections nothing is ever lost, and text needs no meaning.
        let step = if self.lost { with(step, "lost", true.into()) } else { step };
        if self.meaning.is_empty() {
            step
        } else {
            with(step, "meaning", self.meaning.as_str().into())
        }
    }

    fn from_json(json: &Json) -> Option<Self> {
        let sockets = json.get("sockets")?.as_array()?.iter().map(Socket::from_json);
        Some(Self {
            by: text(json, "by")?,
            to: json.get("to")?.as_str().map(str::to_owned),
            call: text(json, "call")?,
            text: text(json, "text")?,
            bytes: bytes(&text(json, "hex")?)?,
            length: json.get("length")?.as_u64()?.try_into().ok()?,
            meaning: text(json, "meaning").unwrap_or_default(),
            packets: text(json, "packets")?,
            lost: json.get("lost") == Some(&Json::Bool(true)),
            known: Known::parse(&text(json, "known")?)?,
            sockets: sockets.collect::<Option<_>>()?,
            doing: texts(json, "doing")?,
            calls: texts(json, "calls")?,
        })
    }
}

impl Socket {
    fn to_json(&self) -> Json {
        let remote = self.remote.map(|remote| remote.to_string());
        let socket = Json::object([
            ("who", self.who.as_str().into()),
            ("with", self.with.as_deref().map_or(Json::Null, Json::from)),
            ("local", self.local.to_string().as_str().into()),
            ("remote", remote.as_deref().map_or(Json::Null, Json::from)),
            ("state", self.state.as_str().into()),
            ("unread", self.unread.into()),
            ("unacknowledged", self.unacknowledged.into()),
            ("held", self.held.into()),
        ]);
        if self.state == UDP {
            with(socket, "dropped", Json::Number(self.dropped as f64))
        } else {
            socket
        }
    }

    fn from_json(json: &Json) -> Option<Self> {
        let number = |name| -> Option<u32> { json.get(name)?.as_u64()?.try_into().ok() };
        let remote = match json.get("remote")?.as_str() {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        Some(Self {
            who: text(json, "who")?,
            with: json.get("with")?.as_str().map(str::to_owned),
            local: text(json, "local")?.parse().ok()?,
            remote,
            state: text(json, "state")?,
            unread: number("unread")?,
            dropped: json.get("dropped").and_then(Json::as_u64).unwrap_or_default(),
            unacknowledged: number("unacknowledged")?,
            held: matches!(json.get("held")?, Json::Bool(true)),
        })
    }
}

/// An object with one member more.
fn with(mut object: Json, name: &str, value: Json) -> Json {
    if let Json::Object(members) = &mut object {
        members.push((name.into(), value));
    }
    object
}

fn text(json: &Json, name: &str) -> Option<String> {
    Some(json.get(name)?.as_str()?.to_owned())
}

fn texts(json: &Json, name: &str) -> Option<Vec<String>> {
    json.get(name)?.as_array()?.iter().map(|line| Some(line.as_str()?.to_owned())).collect()
}

/// Bytes as people read them: `68 65 6c 6c 6f`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let words: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    words.join(" ")
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    hex.split_ascii_whitespace().map(|word| u8::from_str_radix(word, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_survives_its_json() {
        let socket = Socket {
            who: "server".into(),
            with: None,
            local: "127.0.0.1:7007".parse().unwrap(),
            remote: None,
            state: UDP.into(),
            unread: 1,
            dropped: 3,
            unacknowledged: 0,
            held: true,
        };
        let step = Event {
            by: "client 1".into(),
            to: Some("server".into()),
            call: "write".into(),
            text: "2 bytes".into(),
            bytes: b"h\xff".into(),
            length: 2,
            meaning: "a greeting".into(),
            packets: String::new(),
            lost: true,
            known: Known::Kernel,
            sockets: vec![socket],
            doing: vec!["server: main in accept".into()],
            calls: vec!["listen(3, 128) = 0".into()],
        };
        let recording = Recording {
            id: "server/echoes".into(),
            title: "echoes".into(),
            steps: vec![step],
            notes: vec!["no system calls".into()],
        };
        let json = Json::parse(&recording.to_json().to_string()).unwrap();
        assert_eq!(Recording::from_json(&json), Some(recording));
    }
}
