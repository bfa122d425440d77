//! Logging in: who gets in, who does not, and in which order that is asked.

use twopc_proto::Role;
use twopc_proto::bench::Fate;
use twopc_proto::frame::{ErrorCode, FromRelay, Login, Person};
use twopc_proto::json;

use crate::client::{LAB, Plain, Relay, frames, key, login, name};

fn person(user: &str, role: Role) -> Person {
    Person { user: name(user), role }
}

/// A login with this body, whatever it is.
fn post(plain: &mut Plain, headers: &str, body: &str) -> (u16, Option<ErrorCode>) {
    plain.send(format!("POST /login HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    plain.verdict()
}

const UPGRADE: &str = "Connection: keep-alive, upgrade\r\nUpgrade: websocket, twopc/1\r\nContent-Type: application/json\r\n";

fn body(login: &Login) -> String {
    String::from_utf8(json::body(login)).unwrap()
}

#[test]
fn who_logs_in_is_welcomed_and_the_others_are_told() {
    let relay = Relay::start();
    let (mut alice, welcome) = relay.enter("Alice", Role::Participant);
    assert_eq!((welcome.user, welcome.role, welcome.seq, welcome.trace), (name("alice"), Role::Participant, 0, false));
    assert_eq!(welcome.users, [person("alice", Role::Participant)]);
    let (chair, second) = relay.enter("chair", Role::Coordinator);
    assert_eq!(second.users, [person("alice", Role::Participant), person("chair", Role::Coordinator)]);
    assert_eq!(second.room, welcome.room);
    assert_eq!(alice.joined(), person("chair", Role::Coordinator));
    chair.hang_up();
    assert_eq!(alice.left(), person("chair", Role::Coordinator));
    let printed = relay.await_print("Client (chair) is offline\n");
    assert!(printed.ends_with("Client (alice) connected\nClient (chair) connected\nCoordinator discovered\nClient (chair) is offline\n"));
}

#[test]
fn frames_that_come_with_the_login_are_obeyed_after_it() {
    let relay = Relay::start();
    let mut plain = relay.connect();
    let early = frames().chat(Role::Participant, "early", "");
    plain.send(&[frames().login(&login("alice", Role::Participant)), early].concat());
    assert!(plain.answer().is_upgrade());
    let mut alice = plain.into_client();
    assert!(matches!(alice.next(), FromRelay::Welcome(_)));
    assert_eq!(alice.chat().text, "early");
}

#[test]
fn every_refusal_leaves_the_connection_open_for_another_try() {
    let relay = Relay::start_lab();
    let _bob = relay.participant("bob");
    let mut plain = relay.connect();
    let good = login("alice", Role::Participant);
    let sound = body(&good);
    let with = |change: &dyn Fn(&mut Login)| {
        let mut login = good.clone();
        change(&mut login);
        body(&login)
    };
    let raw = |text: &str| text.to_owned();
    use ErrorCode::{BadRequest, Forbidden, NameInvalid, NameTaken, UpgradeRequired};
    let table = [
        (426, UpgradeRequired, "", sound.clone()),
        (426, UpgradeRequired, "Connection: Upgrade\r\n", sound.clone()),
        (426, UpgradeRequired, "Upgrade: twopc/1\r\n", sound.clone()),
        (426, UpgradeRequired, "Connection: Upgrade\r\nUpgrade: twopc/2\r\n", raw("not even JSON")),
        (400, BadRequest, UPGRADE, raw("")),
        (400, BadRequest, UPGRADE, raw("user=alice")),
        (400, BadRequest, UPGRADE, raw("[]")),
        (400, BadRequest, UPGRADE, sound.replace("\"user\"", "\"name\"")),
        (400, BadRequest, UPGRADE, sound.replace("\"alice\"", "7")),
        (400, BadRequest, UPGRADE, sound.replace("\"role\"", "\"part\"")),
        (400, BadRequest, UPGRADE, sound.replace("participant", "Participant")),
        (400, BadRequest, UPGRADE, sound.replace("participant", "guest")),
        (400, BadRequest, UPGRADE, sound.replace("{\"user\"", "{\"user\":\"alice\",\"user\"")),
        (400, BadRequest, UPGRADE, with(&|login| login.key = "15 characters..".into())),
        (400, BadRequest, UPGRADE, with(&|login| login.key = "x".repeat(129))),
        (400, BadRequest, UPGRADE, with(&|login| login.key = "a key with an \u{e9} in it".into())),
        (400, BadRequest, UPGRADE, with(&|login| (login.user, login.key) = (String::new(), String::new()))),
        (422, NameInvalid, UPGRADE, with(&|login| login.user = String::new())),
        (422, NameInvalid, UPGRADE, with(&|login| login.user = "x".repeat(33))),
        (422, NameInvalid, UPGRADE, with(&|login| login.user = "a b".into())),
        (422, NameInvalid, UPGRADE, with(&|login| login.user = "Con".into())),
        (422, NameInvalid, UPGRADE, with(&|login| (login.user, login.role) = ("a b".into(), Role::Observer))),
        (403, Forbidden, UPGRADE, with(&|login| login.role = Role::Observer)),
        (403, Forbidden, UPGRADE, with(&|login| (login.role, login.lab) = (Role::Observer, Some("another key".into())))),
        (403, Forbidden, UPGRADE, with(&|login| (login.role, login.user) = (Role::Observer, "bob".into()))),
        (409, NameTaken, UPGRADE, with(&|login| login.user = "BOB".into())),
    ];
    for (status, code, headers, body) in table {
        assert_eq!(post(&mut plain, headers, &body), (status, Some(code)), "{headers:?} {body}");
    }
    plain.send(format!("POST /login HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}Content-Length: {}\r\n\r\n{sound}", sound.len()).as_bytes());
    assert!(plain.answer().is_upgrade(), "after all that, the same connection logs in");
}

#[test]
fn the_refusal_without_an_upgrade_names_it() {
    let relay = Relay::start();
    let answer = relay.ask("POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((answer.status(), answer.one("Upgrade")), (426, Some("twopc/1")));
    assert!(answer.has_word("Connection", "upgrade"));
    let old = relay.ask("POST /login HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: twopc/1\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(old.status(), 426, "HTTP/1.0 knows no upgrade");
}

#[test]
fn unknown_members_and_key_characters_are_taken_as_they_come() {
    let relay = Relay::start();
    let mut plain = relay.connect();
    let body = r##"{"shoe":[41,{"left":null}],"key":" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~","role":"participant","user":"A-_9"}"##;
    plain.send(format!("POST /login HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    assert!(plain.answer().is_upgrade());
}

#[test]
fn the_refusal_of_a_claimed_name_says_how_it_is_freed() {
    let relay = Relay::start();
    relay.participant("alice").hang_up();
    let mut plain = relay.connect();
    plain.send(&frames().login(&Login { key: key("somebody else"), ..login("alice", Role::Participant) }));
    let answer = plain.answer();
    assert_eq!(answer.status(), 409);
    assert!(String::from_utf8_lossy(answer.body()).contains("twopc-server --forget alice"));
}

#[test]
fn the_same_name_and_key_take_over() {
    let relay = Relay::start();
    let mut bob = relay.participant("bob");
    let mut old = relay.participant("alice");
    assert_eq!(bob.joined(), person("alice", Role::Participant));
    let mut new = relay.login("ALICE", Role::Coordinator);
    assert_eq!(old.refused(), ErrorCode::Replaced);
    assert!(old.closes());
    assert_eq!(bob.left(), person("alice", Role::Participant));
    assert_eq!(bob.joined(), person("alice", Role::Coordinator));
    new.say("it is me");
    let said = bob.chat();
    assert_eq!((said.from, said.role), (name("alice"), Role::Coordinator));
}

#[test]
fn who_has_gone_since_it_asked_is_not_let_in_and_ends_nobody() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut dead = Plain::connect(listener.local_addr().unwrap());
    let login = body(&login("alice", Role::Participant));
    dead.send(format!("POST /login HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}Content-Length: {}\r\n\r\n{login}", login.len()).as_bytes());
    dead.hang_up();
    let relay = Relay::start_on(listener, std::sync::Arc::new(tempfile::tempdir().unwrap()), |_| {});
    let (_alice, welcome) = relay.enter("alice", Role::Participant);
    assert_eq!(dead.verdict(), (400, Some(ErrorCode::BadRequest)));
    assert!(dead.closes());
    assert_eq!(welcome.users, [person("alice", Role::Participant)]);
    let _bob = relay.participant("bob");
    let printed = relay.await_print("Client (bob) connected\n");
    assert!(printed.ends_with("Client (alice) connected\nClient (bob) connected\n"), "{printed}");
}

#[test]
fn a_full_room_keeps_those_who_are_in_it_and_lets_them_come_back() {
    let relay = Relay::start_with(|config| config.max_users = 2);
    let alice = relay.participant("alice");
    let mut bob = relay.participant("bob");
    let mut plain = relay.connect();
    let carol = body(&login("carol", Role::Participant));
    assert_eq!(post(&mut plain, UPGRADE, &carol), (503, Some(ErrorCode::RoomFull)));
    let stolen = body(&Login { key: key("somebody else"), ..login("bob", Role::Participant) });
    assert_eq!(post(&mut plain, UPGRADE, &stolen), (409, Some(ErrorCode::NameTaken)), "the name is asked for before the room");
    let _again = relay.participant("alice");
    let mut replaced = alice;
    assert_eq!(replaced.joined(), person("bob", Role::Participant));
    assert_eq!(replaced.refused(), ErrorCode::Replaced);
    assert_eq!(bob.left(), person("alice", Role::Participant));
    assert_eq!(bob.joined(), person("alice", Role::Participant));
    bob.hang_up();
    assert!(bob.closes());
    relay.await_print("Client (bob) is offline\n");
    plain.upgrade(&login("carol", Role::Participant));
}

#[test]
fn only_so_many_names_are_kept_and_those_who_have_one_get_in() {
    let relay = Relay::start_with(|config| config.limits.names = 1);
    drop(relay.participant("alice"));
    let mut plain = relay.connect();
    assert_eq!(post(&mut plain, UPGRADE, &body(&login("bob", Role::Participant))), (503, Some(ErrorCode::RoomFull)));
    plain.upgrade(&login("alice", Role::Participant));
}

#[test]
fn names_are_kept_over_a_restart() {
    let relay = Relay::start();
    let first = relay.enter("alice", Role::Participant).1.room;
    let logs = relay.stop();
    let relay = Relay::start_in(logs, "127.0.0.1:0", |_| {});
    let mut plain = relay.connect();
    let stolen = body(&Login { key: key("somebody else"), ..login("alice", Role::Participant) });
    assert_eq!(post(&mut plain, UPGRADE, &stolen), (409, Some(ErrorCode::NameTaken)));
    let (_alice, welcome) = relay.enter("alice", Role::Participant);
    assert_ne!(welcome.room, first, "one life of the relay can be told from another");
    assert!(!relay.read("names.json").contains(&key("alice")), "the key itself is nowhere");
}

#[test]
fn a_name_is_freed_while_the_relay_runs() {
    let relay = Relay::start();
    let alice = relay.participant("alice");
    assert!(twopc_server::forget(relay.path(), &name("alice")).unwrap());
    let mut plain = relay.connect();
    let other = Login { key: key("somebody else"), ..login("alice", Role::Participant) };
    assert_eq!(post(&mut plain, UPGRADE, &body(&other)), (409, Some(ErrorCode::NameTaken)), "it is still in use");
    alice.hang_up();
    assert!(alice.closes());
    relay.await_print("Client (alice) is offline\n");
    let _other = plain.upgrade(&other);
    assert!(relay.read("names.json").contains("alice"));
}

#[test]
fn an_observer_shows_the_labs_key_and_claims_no_name() {
    let relay = Relay::start_lab();
    let lab = Login { lab: Some(LAB.into()), ..login("watcher", Role::Observer) };
    let mut observer = relay.connect().upgrade(&lab);
    let FromRelay::Welcome(welcome) = observer.next() else { panic!("no welcome") };
    assert!(welcome.trace, "somebody wants to see what the nodes do");
    assert!(matches!(observer.fate(), Fate::Rules { .. }));
    observer.hang_up();
    assert!(observer.closes());
    relay.await_print("Client (watcher) is offline\n");
    let other = Login { key: key("somebody else"), ..login("watcher", Role::Participant) };
    relay.connect().upgrade(&other);
}

#[test]
fn a_disk_that_does_not_take_the_claim_lets_nobody_in_under_it() {
    let relay = Relay::start();
    drop(relay.participant("alice"));
    std::fs::create_dir(relay.path().join("names.json.new")).unwrap();
    let mut plain = relay.connect();
    assert_eq!(post(&mut plain, UPGRADE, &body(&login("bob", Role::Participant))), (503, Some(ErrorCode::RoomFull)));
    let _alice = plain.upgrade(&login("alice", Role::Participant));
    std::fs::remove_dir(relay.path().join("names.json.new")).unwrap();
    relay.participant("bob");
}
