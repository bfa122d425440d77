//! The picture of a run, as SVG.

use twopc_lab::diagram::{Chart, Filter, svg};
use twopc_lab::run::{Event, Happening};
use twopc_proto::trace::{Trace, What};
use twopc_proto::{MessageKind, Role, UserName};

use crate::golden::check;
use crate::play::{Room, long_run};

fn texts(document: &roxmltree::Document<'_>, tag: &str) -> Vec<String> {
    let found = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", tag)));
    found.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_picture_is_xml_with_a_title_a_description_and_the_names() {
    let chart = Chart::of(&long_run(&["alice", "bob"], 500));
    let picture = svg::whole(&chart, &Filter::default(), "A long run");
    let document = roxmltree::Document::parse(&picture).unwrap();
    assert_eq!(document.root_element().attribute("role"), Some("img"));
    assert_eq!(texts(&document, "title"), ["A long run"]);
    assert!(texts(&document, "desc")[0].contains("4 lanes: chair, relay, alice, bob."), "{:?}", texts(&document, "desc"));
    let words = texts(&document, "text");
    let messages = words.iter().filter(|word| word.starts_with("VOTE_REQUEST")).count();
    assert!(messages > 0 && messages <= chart.messages().len(), "{messages}: words stand in the picture once");
    for expected in ["alice", "bob", "chair", "VOTE_REQUEST", "killed", "COMMIT on disk"] {
        assert!(words.iter().any(|word| word.contains(expected)), "{expected}");
    }
}

#[test]
fn what_somebody_says_is_text_and_no_markup() {
    let user = UserName::parse("alice").unwrap();
    let message = "</text><script>alert('&\"')</script>\u{ffff}\u{7}".to_owned();
    let what = Happening::Told { user, role: Role::Participant, trace: Trace { life: 1, n: 1, at_us: 0, what: What::Notice { message } } };
    let chart = Chart::of(&[Event { at_us: 0, what }]);
    let picture = svg::whole(&chart, &Filter::default(), "<b>&");
    let document = roxmltree::Document::parse(&picture).unwrap();
    assert_eq!(texts(&document, "title"), ["<b>&"]);
    assert!(texts(&document, "script").is_empty());
    assert!(texts(&document, "text").iter().any(|word| word.starts_with("</text><script>")), "{picture}");
}

#[test]
fn the_picture_of_a_coordinator_that_dies_after_telling_one() {
    let mut room = Room::new(&["alice", "bob", "carol"]);
    room.dies_after(MessageKind::GlobalCommit, 1);
    room.request("Hello");
    room.pass(25_000_000);
    room.start("chair");
    room.pass(1_000_000);
    check("telling_one.svg", &svg::whole(&Chart::of(&room.events), &Filter::default(), "The coordinator dies after telling one"));
}
