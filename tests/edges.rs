//! The edges of the format: what lies just inside is read and written, what lies just outside is refused.

use mingzhang::ledger::canonical::{DEPTH_MAX, NotWritable, Object, Value};
use mingzhang::ledger::entry::{BYTES_MAX, Entry, RawPost};
use mingzhang::ledger::line::Line;
use mingzhang::ledger::merkle::Frontier;
use mingzhang::ledger::note::{KeyKind, Note, SignatureLine, VerifierKey};
use mingzhang::ledger::posting::{Book, CashRule};
use mingzhang::ledger::proof::{BYTES_MAX as PROOF_BYTES_MAX, Proof};
use mingzhang::ledger::verify::Verifier;
use mingzhang::values::{Hash, LineName};

const ENTRY: &str = r#"{"at":"2026-01-01T02:00:00.000Z","body":{},"by":"system","cash":[{"account":"bank/1","amount":5,"unit":"CNY"}],"kind":"donation.received","ledger":"mingzhang.example/books","post":[{"from":0,"line":"f/CNY","op":"in","to":5}],"prev":"0000000000000000000000000000000000000000000000000000000000000000","seq":0,"v":1}"#;

#[test]
fn an_entry_has_the_members_of_the_format_and_no_other() {
    assert!(Entry::parse(ENTRY.as_bytes()).is_ok());
    for (find, replace) in [
        // One member more: in the entry, in a row of cash, in a post; in the middle and at the end.
        ("\"v\":1", "\"v\":1,\"w\":0"),
        ("\"by\":\"system\"", "\"by\":\"system\",\"c\":0"),
        ("\"unit\":\"CNY\"", "\"unit\":\"CNY\",\"x\":0"),
        ("\"to\":5", "\"to\":5,\"u\":0"),
        ("\"op\":\"in\"", "\"op\":\"in\",\"p\":0"),
        // One less.
        (",\"v\":1", ""),
        ("\"body\":{},", ""),
        (",\"unit\":\"CNY\"", ""),
        ("\"from\":0,", ""),
        // Another form.
        ("\"body\":{}", "\"body\":[]"),
        ("\"v\":1", "\"v\":2"),
        ("\"seq\":0", "\"seq\":-1"),
        ("\"amount\":5", "\"amount\":0"),
        ("\"amount\":5", "\"amount\":\"5\""),
        ("\"cash\":[{\"account\":\"bank/1\",\"amount\":5,\"unit\":\"CNY\"}]", "\"cash\":[]"),
        ("\"by\":\"system\"", "\"by\":\"\""),
        ("bank/1", "Bank 1"),
        ("\"CNY\"", "\"cny\""),
        ("00000000\",\"seq\"", "0000000\",\"seq\""),
        ("00000000\",\"seq\"", "0000000G\",\"seq\""),
    ] {
        let changed = ENTRY.replacen(find, replace, 1);
        assert_ne!(changed, ENTRY, "{find}");
        assert!(Entry::parse(changed.as_bytes()).is_err(), "{find} → {replace}");
    }
}

#[test]
fn a_kind_is_two_words_of_small_letters() {
    let long = format!("{}.{}", "a".repeat(20), "b".repeat(19));
    let too_long = format!("{}.{}", "a".repeat(20), "b".repeat(20));
    for (kind, good) in [
        ("a.b", true),
        ("fee_a.charged_b", true),
        (long.as_str(), true),
        (too_long.as_str(), false),
        (".b", false),
        ("a.", false),
        ("a", false),
        ("a.b.c", false),
        ("A.b", false),
        ("a.B", false),
        ("a.b1", false),
        ("a1.b", false),
        ("a.b-c", false),
        ("", false),
    ] {
        let changed = ENTRY.replace("donation.received", kind);
        assert_eq!(Entry::parse(changed.as_bytes()).is_ok(), good, "{kind}");
    }
}

#[test]
fn an_entry_ends_at_its_longest() {
    let spare = BYTES_MAX - ENTRY.len() - "\"a\":\"\"".len();
    let body = |length: usize| ENTRY.replace("\"body\":{}", &format!("\"body\":{{\"a\":\"{}\"}}", "x".repeat(length)));
    let (longest, longer) = (body(spare), body(spare + 1));
    assert_eq!(longest.len(), BYTES_MAX);
    let entry = Entry::parse(longest.as_bytes()).expect("it is not too long");
    assert_eq!(entry.to_bytes().expect("it is not too long"), longest.as_bytes());
    assert!(Entry::parse(longer.as_bytes()).is_err());
    let mut entry = entry;
    entry.body = Object::new().text("a", "x".repeat(spare + 1));
    assert!(entry.to_bytes().is_err());
}

fn nested(depth: u32) -> (Value<'static>, String) {
    let value = (1..depth).fold(Value::Array(Vec::new()), |inner, level| match level % 2 {
        0 => Value::Array(vec![inner]),
        _ => Value::Object(Object::new().with("a", inner)),
    });
    let text = (1..depth).fold("[]".to_owned(), |inner, level| match level % 2 {
        0 => format!("[{inner}]"),
        _ => format!("{{\"a\":{inner}}}"),
    });
    (value, text)
}

#[test]
fn nesting_ends_at_sixteen_for_reader_and_writer() {
    for depth in [1, 2, 15, DEPTH_MAX] {
        let (value, text) = nested(depth);
        assert_eq!(value.to_bytes().expect("not too deep"), text.as_bytes());
        assert_eq!(Value::parse(text.as_bytes()).expect("not too deep"), value);
    }
    let (value, text) = nested(DEPTH_MAX + 1);
    assert_eq!(value.to_bytes(), Err(NotWritable::Depth));
    assert!(Value::parse(text.as_bytes()).is_err());
    let object = (1..DEPTH_MAX).fold(Object::new(), |inner, _| Object::new().with("a", Value::Object(inner)));
    assert!(object.to_bytes().is_ok());
    assert_eq!(Object::new().with("a", Value::Object(object)).to_bytes(), Err(NotWritable::Depth));
}

#[test]
fn every_escape_is_read_as_it_is_written() {
    let text: String = (0..0x80).filter_map(char::from_u32).chain(['é', '明', '\u{2028}', '😀']).collect();
    let bytes = Value::text(text.clone()).to_bytes().expect("writable");
    assert_eq!(Value::parse(&bytes).expect("what was written is read"), Value::text(text));
    for (written, read) in
        [(r#""\b""#, "\u{8}"), (r#""\f""#, "\u{c}"), (r#""\u001f""#, "\u{1f}"), (r#""\\\"""#, "\\\"")]
    {
        assert_eq!(Value::parse(written.as_bytes()), Ok(Value::text(read)), "{written}");
    }
    for bad in
        [r#""\/""#, r#""\u0008""#, r#""\u000C""#, r#""\u001F""#, r#""\u0041""#, r#""\x""#, "\"\t\"", r#""\""#, r#"""#]
    {
        assert!(Value::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn keys_ascend_by_utf_16() {
    // U+1F600 is two surrogates from U+D800 on, so it stands before U+FF5E, whose UTF-8 is the smaller one.
    let object = Object::new().integer("\u{ff5e}", 1).integer("\u{1f600}", 2).integer("z", 3).integer("é", 4);
    let keys: Vec<&str> = object.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["z", "é", "\u{1f600}", "\u{ff5e}"]);
    let bytes = object.to_bytes().expect("writable");
    assert_eq!(Value::parse(&bytes), Ok(Value::Object(object)));
    assert!(Value::parse("{\"\u{ff5e}\":1,\"\u{1f600}\":2}".as_bytes()).is_err());
}

#[test]
fn an_object_gives_its_members_by_key_and_in_order() {
    let object = Object::new().text("b", "x").integer("a", 1).with("c", Value::Bool(true)).integer("a", 2);
    assert_eq!((object.len(), object.is_empty(), Object::new().len(), Object::new().is_empty()), (3, false, 0, true));
    assert_eq!(object.get("a").and_then(Value::as_integer), Some(2));
    assert_eq!(object.get("b").and_then(Value::as_text), Some("x"));
    assert_eq!(object.get("c").and_then(Value::as_bool), Some(true));
    assert_eq!(object.get("d"), None);
    assert_eq!(object.clone().into_owned(), object);
    let list = Value::Array(vec![Value::Object(object.clone()), Value::Bool(false)]);
    assert_eq!(list.as_array().map(<[_]>::len), Some(2));
    assert_eq!(list.as_array().and_then(|items| items.first()).and_then(Value::as_object), Some(&object));
    assert_eq!(list.as_array().and_then(|items| items.last()).and_then(Value::as_bool), Some(false));
    assert_eq!((list.as_text(), list.as_bool(), list.as_integer(), list.as_object()), (None, None, None, None));
    assert_eq!(Value::Bool(true).as_array(), None);
    assert_eq!(list.clone().into_owned(), list);
}

#[test]
fn a_frontier_is_read_again_from_its_peaks() {
    let mut frontier = Frontier::default();
    for leaf in 0_u8..20 {
        let again =
            Frontier::from_peaks(frontier.size(), frontier.peaks().to_vec()).expect("as many as its size has bits");
        assert_eq!((again.root(), &again), (frontier.root(), &frontier));
        let mut more = frontier.peaks().to_vec();
        more.push(Hash::ZERO);
        assert_eq!(Frontier::from_peaks(frontier.size(), more), None);
        frontier.push(Hash::of(&[&[leaf]]));
    }
}

#[test]
fn stored_runs_of_a_line_leave_no_gap() {
    use mingzhang::ledger::line::State;
    use mingzhang::values::Span;
    let name = || LineName::parse("f/CNY").expect("a name");
    let run = |from, to| (Span { from, to }, State::Free);
    let line = Line::from_rows(name(), [run(0, 5), (Span { from: 5, to: 9 }, State::Held { by: 3 })]).expect("no gap");
    assert_eq!((line.end(), line.totals().free, line.totals().held), (9, 5, 4));
    assert_eq!(Line::from_rows(name(), [run(1, 5)]), None);
    assert_eq!(Line::from_rows(name(), [run(0, 5), run(6, 9)]), None);
    assert_eq!(Line::from_rows(name(), [run(0, 5), run(4, 9)]), None);
}

#[test]
fn the_form_of_a_note_is_kept_to_its_limits() {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let log = VerifierKey::of("example.org/log", KeyKind::Log, &key);
    assert_eq!(VerifierKey::parse(&log.to_string()).map(|read| read.to_string()), Ok(log.to_string()));
    let signed = |text: &str| Note::sign(text.to_owned(), "example.org/log", &key);
    let note = signed("one\ntwo\n");
    let written = note.to_string();
    assert_eq!(Note::parse(written.as_bytes()), Ok(note.clone()));
    assert_eq!(note.verify(&log), Ok(()));
    // A million bytes are a note, one more is none.
    let longest = |length: usize| {
        let spare = length - signed("\n").to_string().len();
        signed(&format!("{}\n", "x".repeat(spare))).to_string()
    };
    assert_eq!((longest(1_000_000).len(), longest(1_000_001).len()), (1_000_000, 1_000_001));
    assert!(Note::parse(longest(1_000_000).as_bytes()).is_ok());
    assert!(Note::parse(longest(1_000_001).as_bytes()).is_err());
    // A hundred signatures are read, one more is refused.
    let line = note.signatures.first().expect("signed").to_string();
    let with = |count: usize| format!("one\n\n{}", format!("{line}\n").repeat(count));
    assert!(Note::parse(with(100).as_bytes()).is_ok_and(|note| note.signatures.len() == 100));
    assert!(Note::parse(with(101).as_bytes()).is_err());
    assert!(Note::parse(with(0).as_bytes()).is_err());
    let base64 = line.rsplit(' ').next().expect("three parts");
    for bad in [
        format!("— a+b {base64}"),
        format!("—  {base64}"),
        format!("— a\u{a0}b {base64}"),
        format!("— a\u{85}b {base64}"),
        format!("- a {base64}"),
        "— a AAAAAA==".to_owned(),
        "— a AAAA".to_owned(),
        "— a !!!!".to_owned(),
    ] {
        assert!(Note::parse(format!("one\n\n{bad}\n").as_bytes()).is_err(), "{bad}");
    }
    assert!(
        Note::parse("one\n\n— a AAAAAAA=\n".as_bytes()).is_ok(),
        "an id and one byte are a line, if of no known kind"
    );
    let other = SignatureLine { name: "other".into(), ..note.signatures[0].clone() };
    let unsigned = Note { text: note.text.clone(), signatures: vec![other] };
    assert!(unsigned.verify(&log).is_err());
    for bad in ["+00000000+AAAA", "a b+00000000+AAAA", "a", "a+b"] {
        assert!(VerifierKey::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_form_of_a_proof_is_kept_to_its_limits() {
    let proof = |index: &str, path: usize, rest: &str| {
        let hashes = format!("{}\n", Hash::ZERO.to_base64()).repeat(path);
        format!("c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{rest}")
    };
    for (index, good) in [
        ("0", true),
        ("7", true),
        ("10", true),
        ("07", false),
        ("00", false),
        ("", false),
        ("-1", false),
        ("+1", false),
        ("1 ", false),
        ("x", false),
    ] {
        let text = proof(index, 0, "checkpoint");
        let read = Proof::parse(text.as_bytes());
        assert_eq!(read.is_ok(), good, "{index}");
        if let Ok(read) = read {
            assert_eq!(read.to_string(), text);
        }
    }
    assert!(Proof::parse(proof("1", 64, "c").as_bytes()).is_ok_and(|proof| proof.path.len() == 64));
    assert!(Proof::parse(proof("1", 65, "c").as_bytes()).is_err());
    let spare = PROOF_BYTES_MAX - proof("1", 0, "").len();
    assert!(Proof::parse(proof("1", 0, &"c".repeat(spare)).as_bytes()).is_ok());
    assert!(Proof::parse(proof("1", 0, &"c".repeat(spare + 1)).as_bytes()).is_err());
    for bad in [
        "c2sp.org/tlog-proof@v2\nindex 1\n\nc",
        "c2sp.org/tlog-proof@v1\nindex 1\nc",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nc",
    ] {
        assert!(Proof::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn a_broken_rule_says_where() {
    let post = |op: &'static str, line: &'static str, from: i64, to: i64, of: Option<i64>| RawPost {
        op: op.into(),
        line: line.into(),
        from,
        to,
        of,
    };
    for (bad, path) in [
        (post("in", "F/CNY", 0, 5, None), "/post/1/line"),
        (post("give", "f/CNY", 5, 9, None), "/post/1/op"),
        (post("in", "f/CNY", 5, 5, None), "/post/1/to"),
        (post("hold", "f/CNY", 0, 9, None), "/post/1/to"),
        (post("in", "f/CNY", 6, 9, None), "/post/1/from"),
        (post("free", "f/CNY", 0, 5, None), "/post/1/of"),
        (post("void", "f/CNY", 0, 5, Some(9)), "/post/1/of"),
    ] {
        let mut book = Book::default();
        let posts = [post("in", "f/CNY", 0, 5, None), bad.clone()];
        let broken = book.apply(1, &posts, &[], CashRule::Ignored).expect_err("it breaks a rule");
        assert!(broken.to_string().starts_with(path), "{bad:?}: {broken}");
        assert_eq!(book.lines().iter().map(Line::end).sum::<u64>(), 0, "nothing of it is kept");
    }
}

#[test]
fn two_entries_may_have_one_time_and_none_goes_back() {
    let entry = |at: &str, prev: Hash, seq: u64| {
        let text = ENTRY.replace("2026-01-01T02:00:00.000Z", at).replace(&"0".repeat(64), &prev.to_hex());
        text.replace("\"seq\":0", &format!("\"seq\":{seq}")).replace(
            "\"from\":0,\"line\":\"f/CNY\",\"op\":\"in\",\"to\":5",
            &format!("\"from\":{},\"line\":\"f/CNY\",\"op\":\"in\",\"to\":{}", seq * 5, seq * 5 + 5),
        )
    };
    for (second, good) in
        [("2026-01-01T02:00:00.000Z", true), ("2026-01-01T02:00:00.001Z", true), ("2026-01-01T01:59:59.999Z", false)]
    {
        let mut verifier = Verifier::new("mingzhang.example/books");
        let first = entry("2026-01-01T02:00:00.000Z", Hash::ZERO, 0);
        let (_, leaf) = verifier.push(first.as_bytes()).expect("the first entry holds");
        let pushed = verifier.push(entry(second, leaf, 1).as_bytes()).map(drop);
        assert_eq!(pushed.is_ok(), good, "{second}: {pushed:?}");
        assert_eq!(verifier.head().size(), if good { 2 } else { 1 }, "after an error it stays where it was");
    }
}

#[test]
fn a_transfer_is_taken_back_with_exactly_its_image() {
    let post = |op: &'static str, line: &'static str, from: i64, to: i64, of: Option<i64>| RawPost {
        op: op.into(),
        line: line.into(),
        from,
        to,
        of,
    };
    // Four positions of f go to two funds, two each.
    let moved = || {
        let mut book = Book::default();
        book.apply(0, &[post("in", "f/CNY", 0, 4, None)], &[], CashRule::Ignored).expect("a gift");
        let transfer =
            [post("out", "f/CNY", 0, 4, None), post("in", "g/CNY", 0, 2, None), post("in", "h/CNY", 0, 2, None)];
        book.apply(1, &transfer, &[], CashRule::Ignored).expect("a transfer");
        book
    };
    let free = |from, to| post("free", "f/CNY", from, to, Some(1));
    let void = |line, from, to| post("void", line, from, to, Some(1));
    for (posts, good) in [
        (vec![free(0, 4), void("g/CNY", 0, 2), void("h/CNY", 0, 2)], true),
        (vec![free(1, 3), void("g/CNY", 1, 2), void("h/CNY", 0, 1)], true),
        (vec![free(0, 1), free(3, 4), void("g/CNY", 0, 1), void("h/CNY", 1, 2)], true),
        // The same ends, and something missing or too much between them.
        (vec![free(0, 4), void("g/CNY", 0, 1), void("h/CNY", 1, 2)], false),
        (vec![free(0, 1), free(3, 4), void("g/CNY", 0, 2), void("h/CNY", 1, 2)], false),
        (vec![free(0, 2), void("h/CNY", 0, 2)], false),
        (vec![free(0, 4)], false),
        (vec![void("g/CNY", 0, 2), void("h/CNY", 0, 2)], false),
    ] {
        let result = moved().apply(2, &posts, &[], CashRule::Ignored);
        assert_eq!(result.is_ok(), good, "{posts:?}: {result:?}");
    }
    // One line, of which the middle stays.
    let mut book = Book::default();
    book.apply(0, &[post("in", "f/CNY", 0, 4, None)], &[], CashRule::Ignored).expect("a gift");
    let transfer = [post("out", "f/CNY", 0, 4, None), post("in", "g/CNY", 0, 4, None)];
    book.apply(1, &transfer, &[], CashRule::Ignored).expect("a transfer");
    let too_much = [free(0, 1), free(3, 4), void("g/CNY", 0, 2), void("g/CNY", 3, 4)];
    assert!(book.apply(2, &too_much, &[], CashRule::Ignored).is_err());
    let exact = [free(0, 1), free(3, 4), void("g/CNY", 0, 1), void("g/CNY", 3, 4)];
    assert!(book.apply(2, &exact, &[], CashRule::Ignored).is_ok());
}
