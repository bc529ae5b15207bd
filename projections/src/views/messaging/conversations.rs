//! `conversations`: messages between the two sides with read receipts, and internal notes of each
//! side.

use domain::{
    ActorId, Attachments, CompanyId, Event, Message, Side,
    conversation::{self, Subject},
    messaging,
};
use event_log::RecordedEvent;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::{Client, Row, types::Json};
use uuid::Uuid;

use crate::{
    Change, Projection, ReadError, aside, build,
    projection::change,
    row::{json, parsed, word},
};

/// Conversations by stream id; notes by the id of their own stream.
pub const PROJECTION: Projection = Projection {
    name: "conversations",
    schema: "
        CREATE TABLE conversations (
            id uuid PRIMARY KEY,
            subject text NOT NULL,
            subject_id uuid NOT NULL,
            company_id uuid NOT NULL,
            messages integer NOT NULL,
            -- How many of them each side has written.
            by_seller integer NOT NULL,
            by_buyer integer NOT NULL,
            -- Where in the log the last one is.
            newest bigint NOT NULL UNIQUE
        );
        CREATE INDEX ON conversations (company_id, newest);
        CREATE TABLE conversation_messages (
            conversation_id uuid NOT NULL,
            number integer NOT NULL,
            side text NOT NULL,
            by_id uuid NOT NULL,
            text text NOT NULL,
            attachments jsonb NOT NULL,
            position bigint NOT NULL,
            recorded_at timestamptz NOT NULL,
            -- How many each side had written with this one.
            by_seller integer NOT NULL,
            by_buyer integer NOT NULL,
            PRIMARY KEY (conversation_id, number)
        );
        CREATE INDEX ON conversation_messages (conversation_id, position);
        CREATE TABLE conversation_notes (
            conversation_id uuid NOT NULL,
            number integer NOT NULL,
            side text NOT NULL,
            by_id uuid NOT NULL,
            text text NOT NULL,
            attachments jsonb NOT NULL,
            position bigint NOT NULL,
            recorded_at timestamptz NOT NULL,
            PRIMARY KEY (conversation_id, position)
        );
        CREATE TABLE conversation_reads (
            conversation_id uuid NOT NULL,
            by_id uuid NOT NULL,
            side text NOT NULL,
            -- What was read then is beyond the one, up to the other.
            beyond integer NOT NULL,
            up_to integer NOT NULL,
            -- How many messages of the other side are read with it.
            seen integer NOT NULL,
            position bigint NOT NULL,
            recorded_at timestamptz NOT NULL,
            PRIMARY KEY (conversation_id, by_id, up_to)
        );
        CREATE INDEX ON conversation_reads (conversation_id, up_to)",
    tables: &["conversations", "conversation_messages", "conversation_notes", "conversation_reads"],
    reads: &["conversation"],
    aside: aside::stream,
    apply,
    build: build::CONVERSATIONS,
};

const OPEN: &str = "
    INSERT INTO conversations AS c
        (id, subject, subject_id, company_id, messages, by_seller, by_buyer, newest)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (id) DO UPDATE SET messages = $5, by_seller = c.by_seller + $6,
        by_buyer = c.by_buyer + $7, newest = $8";
const SEND: &str = "
    INSERT INTO conversation_messages (conversation_id, number, side, by_id, text, attachments,
        position, recorded_at, by_seller, by_buyer)
    SELECT id, messages, $2, $3, $4, $5, newest, $6, by_seller, by_buyer
    FROM conversations WHERE id = $1";
const NOTE: &str = "
    INSERT INTO conversation_notes
        (conversation_id, number, side, by_id, text, attachments, position, recorded_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const READ: &str = "
    INSERT INTO conversation_reads
        (conversation_id, by_id, side, beyond, up_to, seen, position, recorded_at)
    SELECT $1, $2, $3, coalesce((
            SELECT max(up_to) FROM conversation_reads WHERE conversation_id = $1 AND by_id = $2), 0),
        number, CASE $3 WHEN 'seller' THEN by_buyer ELSE by_seller END, $5, $6
    FROM conversation_messages WHERE conversation_id = $1 AND number = $4
    ON CONFLICT DO NOTHING";
const LIST: &str = "
    SELECT c.subject, c.subject_id, c.company_id, c.messages, c.newest,
        unread.count AS unread,
        m.number, m.side, m.by_id, m.text, m.attachments, m.position, m.recorded_at
    FROM view.conversations c
    JOIN view.conversation_messages m ON m.conversation_id = c.id AND m.number = c.messages
    LEFT JOIN LATERAL (
        SELECT seen FROM view.conversation_reads
        WHERE conversation_id = c.id AND by_id = $1 ORDER BY up_to DESC LIMIT 1) AS mark ON true
    CROSS JOIN LATERAL (
        SELECT CASE $2 WHEN 'seller' THEN c.by_buyer ELSE c.by_seller END
            - coalesce(mark.seen, 0) AS count) AS unread
    WHERE ($3::uuid IS NULL OR c.id = $3) AND ($4::uuid IS NULL OR c.company_id = $4)
        AND c.subject = ANY($5) AND (NOT $6 OR unread.count > 0)
        AND ($7::bigint IS NULL OR c.newest < $7)
    ORDER BY c.newest DESC LIMIT $8";

/// Messages, and notes if $2 is given, in one order.
macro_rules! entries {
    ($beyond:literal, $order:literal) => {
        concat!(
            "SELECT 'message' AS kind, number, side, by_id, text, attachments, position, recorded_at
            FROM view.conversation_messages
            WHERE conversation_id = $1 AND ($3::bigint IS NULL OR position ",
            $beyond,
            " $3)
            UNION ALL
            SELECT 'note', number, side, by_id, text, attachments, position, recorded_at
            FROM view.conversation_notes
            WHERE conversation_id = $2::uuid AND ($3::bigint IS NULL OR position ",
            $beyond,
            " $3)
            ORDER BY position ",
            $order,
            " LIMIT $4"
        )
    };
}

const OLDEST_FIRST: &str = entries!(">", "ASC");
const NEWEST_FIRST: &str = entries!("<", "DESC");
const RECEIPTS: &str = "
    SELECT by_id, side, beyond, up_to, recorded_at FROM view.conversation_reads
    WHERE conversation_id = $1 AND up_to >= $2 AND beyond < $3 ORDER BY position";
const OFFER: &str = "
    SELECT company_id FROM view.offers
    WHERE id = $1 AND ($2::uuid IS NULL OR (company_id = $2 AND revision > 0))";
const NEGOTIATION: &str = "
    SELECT company_id FROM view.negotiations WHERE id = $1 AND ($2::uuid IS NULL OR company_id = $2)";
const ORDER: &str = "
    SELECT company_id FROM view.orders WHERE id = $1 AND ($2::uuid IS NULL OR company_id = $2)";
const INVOICE: &str = "
    SELECT company_id FROM view.invoices WHERE id = $1 AND ($2::uuid IS NULL OR company_id = $2)";
const GOODS_RETURN: &str = "
    SELECT company_id FROM view.goods_returns
    WHERE id = $1 AND ($2::uuid IS NULL OR company_id = $2)";

fn apply(recorded: &RecordedEvent, event: &Event) -> Vec<Change> {
    let Event::Messaging(messaging::Event::Conversation(event)) = event else { return vec![] };
    let (id, position) = (recorded.stream_id, recorded.position.0.cast_signed());
    match event {
        conversation::Event::MessageSent {
            subject,
            company,
            number,
            by,
            side,
            text,
            attachments,
        } => {
            let ones = |of: Side| i32::from(*side == of);
            vec![
                change!(
                    OPEN,
                    id,
                    subject.kind(),
                    subject.id(),
                    company.0,
                    number.cast_signed(),
                    ones(Side::Seller),
                    ones(Side::Buyer),
                    position
                ),
                change!(
                    SEND,
                    id,
                    side.name(),
                    by.0,
                    text.to_string(),
                    Json(attachments.clone()),
                    recorded.recorded_at
                ),
            ]
        }
        conversation::Event::NoteWritten { number, by, side, text, attachments, .. } => {
            vec![change!(
                NOTE,
                id,
                number.cast_signed(),
                side.name(),
                by.0,
                text.to_string(),
                Json(attachments.clone()),
                position,
                recorded.recorded_at
            )]
        }
        conversation::Event::Read { by, side, up_to, .. } => vec![change!(
            READ,
            id,
            by.0,
            side.name(),
            up_to.cast_signed(),
            position,
            recorded.recorded_at
        )],
    }
}

/// A conversation with its last message.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Conversation {
    /// The subject.
    pub subject: Subject,
    /// The company of the subject.
    pub company: CompanyId,
    /// The number of messages.
    pub messages: u32,
    /// The number of messages of the other side that the asker has not read.
    pub unread: u32,
    /// The last message.
    pub last: Written,
    /// The position of the last message; lists are sorted by it, newest first.
    #[serde(skip)]
    pub newest: i64,
}

/// A message or a note.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "WrittenMessage")]
pub struct Written {
    /// Its number among the messages, or among the side's notes, counted from 1.
    pub number: u32,
    /// The side of the author.
    pub side: Side,
    /// The author.
    pub by: ActorId,
    /// The text.
    pub text: Message,
    /// The attachments.
    pub attachments: Attachments,
    /// Its position in the log.
    pub position: u64,
    /// The time.
    pub recorded_at: Timestamp,
}

/// A message with its read receipts, or a note.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ConversationEntry")]
pub struct Entry {
    /// Whether it is a message or an internal note.
    pub kind: Kind,
    /// The message or note.
    #[serde(flatten)]
    pub written: Written,
    /// The read receipts of the other side, in order.
    pub read_by: Vec<Receipt>,
}

/// Message or internal note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "MessageKind")]
pub enum Kind {
    /// A message to the other side.
    Message,
    /// An internal note of one side.
    Note,
}

/// A read receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MessageReceipt")]
pub struct Receipt {
    /// The reader.
    pub by: ActorId,
    /// The time.
    pub at: Timestamp,
}

/// Which conversations to list, and for whom.
#[derive(Debug, Clone)]
pub struct Filter<'a> {
    /// The asker.
    pub asker: ActorId,
    /// The side of the asker.
    pub side: Side,
    /// Only this conversation.
    pub id: Option<Uuid>,
    /// Only this company.
    pub company: Option<Uuid>,
    /// Only subjects of these kinds.
    pub kinds: &'a [&'a str],
    /// Only those with messages that the asker has not read.
    pub unread: bool,
}

/// Conversations, last message first, before `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: &Filter<'_>,
    cursor: Option<i64>,
    limit: i64,
) -> Result<Vec<Conversation>, ReadError> {
    let Filter { asker, side, id, company, kinds, unread } = filter;
    let rows = client
        .query(LIST, &[&asker.0, &side.name(), id, company, kinds, unread, &cursor, &limit])
        .await?;
    rows.iter().map(conversation_of).collect()
}

/// The part of a conversation to read.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// After this position; from the start or the end if `None`.
    pub beyond: Option<i64>,
    /// Newest first.
    pub backwards: bool,
    /// The maximum number.
    pub limit: i64,
}

/// The messages of a conversation with read receipts, and the notes of the stream `notes`.
pub async fn entries(
    client: &Client,
    conversation: Uuid,
    notes: Option<Uuid>,
    Stretch { beyond, backwards, limit }: Stretch,
) -> Result<Vec<Entry>, ReadError> {
    let sql = if backwards { NEWEST_FIRST } else { OLDEST_FIRST };
    let rows = client.query(sql, &[&conversation, &notes, &beyond, &limit]).await?;
    let mut entries: Vec<Entry> = rows.iter().map(entry_of).collect::<Result<_, _>>()?;
    let mut messages: Vec<&mut Entry> =
        entries.iter_mut().filter(|entry| entry.kind == Kind::Message).collect();
    let numbers = messages.iter().map(|entry| entry.written.number.cast_signed());
    let (Some(first), Some(last)) = (numbers.clone().min(), numbers.max()) else {
        return Ok(entries);
    };
    for row in client.query(RECEIPTS, &[&conversation, &first, &last]).await? {
        let (by, side) = (ActorId(row.get("by_id")), word::<Side>(&row, "side")?);
        let (beyond, up_to) = (number(&row, "beyond"), number(&row, "up_to"));
        let receipt = Receipt { by, at: row.get("recorded_at") };
        for entry in &mut messages {
            let Written { number, side: writer, .. } = &entry.written;
            if *writer != side && (beyond + 1..=up_to).contains(number) {
                entry.read_by.push(receipt.clone());
            }
        }
    }
    Ok(entries)
}

/// The company of a subject; `None` if the subject does not exist or `company` may not see it.
pub async fn company_of(
    client: &Client,
    subject: Subject,
    company: Option<Uuid>,
) -> Result<Option<CompanyId>, ReadError> {
    let sql = match subject {
        Subject::Offer { .. } => OFFER,
        Subject::Negotiation { .. } => NEGOTIATION,
        Subject::Order { .. } => ORDER,
        Subject::Invoice { .. } => INVOICE,
        Subject::GoodsReturn { .. } => GOODS_RETURN,
    };
    let row = client.query_opt(sql, &[&subject.id(), &company]).await?;
    Ok(row.map(|row| CompanyId(row.get(0))))
}

fn conversation_of(row: &Row) -> Result<Conversation, ReadError> {
    let subject =
        json!({ "kind": row.get::<_, &str>("subject"), "id": row.get::<_, Uuid>("subject_id") });
    Ok(Conversation {
        subject: serde_json::from_value(subject).map_err(|_| ReadError::Malformed)?,
        company: CompanyId(row.get("company_id")),
        messages: number(row, "messages"),
        newest: row.get("newest"),
        unread: number(row, "unread"),
        last: written_of(row)?,
    })
}

fn entry_of(row: &Row) -> Result<Entry, ReadError> {
    Ok(Entry { kind: word(row, "kind")?, written: written_of(row)?, read_by: Vec::new() })
}

fn written_of(row: &Row) -> Result<Written, ReadError> {
    Ok(Written {
        number: number(row, "number"),
        side: word(row, "side")?,
        by: ActorId(row.get("by_id")),
        text: parsed(row, "text")?,
        attachments: json(row, "attachments")?,
        position: row.get::<_, i64>("position").unsigned_abs(),
        recorded_at: row.get("recorded_at"),
    })
}

fn number(row: &Row, column: &str) -> u32 {
    row.get::<_, i32>(column).unsigned_abs()
}
